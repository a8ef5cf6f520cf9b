/** The engine between stubs: moments that real sockets do not bring about on demand. */
import t from 'tap';
import type { VeracruzError } from '../../../lib/core/errors.js';
import type { Endpoint, HandshakeEvents } from '../../../lib/layers/tls/endpoint.js';
import { TlsEngine } from '../../../lib/layers/tls/engine.js';
import { HandshakeGate } from '../../../lib/layers/tls/gate.js';
import { settingsOf } from '../../../lib/layers/tls/options.js';
import type { Wire } from '../../../lib/layers/tls/wire.js';
import { clientOptions } from './pki.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A client's engine whose TLS is ours to play, and what its Transforms are told. */
function played(open: (events: HandshakeEvents) => void = () => {}) {
  const gate = new HandshakeGate(settingsOf(clientOptions()));
  const heard: string[] = [];
  const errors: VeracruzError[] = [];
  let events: HandshakeEvents | undefined;
  let wire: Wire | undefined;
  const endpoint: Endpoint = {
    open: (pipe, given) => {
      wire = pipe as Wire;
      events = given;
      open(given);
    },
    admit: () => {
      throw new Error('no handshake comes about here');
    },
  };
  const engine = new TlsEngine(endpoint, gate, settingsOf(clientOptions()));
  const side = {
    fail: (error: VeracruzError) => {
      errors.push(error);
      return true;
    },
    destroy: () => heard.push('destroy'),
    aboveSocket: false,
    giveCipher: (chunk: Buffer) => heard.push(`cipher ${chunk.toString()}`) > 0,
    givePlain: () => true,
    giveFlush: () => {},
    endPlain: () => heard.push('end'),
  };
  engine.attachOutbound(side);
  engine.attachInbound(side);
  return { engine, gate, heard, errors, events: events as HandshakeEvents, wire: wire as Wire };
}

void t.test('a session that has failed never ends as if it were whole', async (t) => {
  const { engine, heard, errors, events } = played();
  events.failed(Object.assign(new Error('bad'), { code: 'ERR_SSL_BAD' }), undefined as never);
  engine.receiveEnd(() => heard.push('inbound done'));
  engine.end(() => heard.push('outbound done'));
  await turn();
  await turn();
  t.same(heard, ['destroy']);
  t.equal(errors.length, 1);
  t.match(errors[0], { code: 'ERR_VC_TLS_HANDSHAKE', got: 'ERR_SSL_BAD' });
});

void t.test('it fails once, with the first cause, however often node:tls fails', async (t) => {
  const { errors, events, wire } = played();
  events.failed(Object.assign(new Error('first'), { code: 'ERR_SSL_FIRST' }), undefined as never);
  events.failed(Object.assign(new Error('second'), { code: 'EPROTO' }), undefined as never);
  wire.destroy(new Error('third'));
  await turn();
  await turn();
  t.same(
    errors.map(({ got }) => got),
    ['ERR_SSL_FIRST'],
  );
});

void t.test('an alert that is written after its error still goes out before the report', async (t) => {
  const { heard, errors, events, wire } = played();
  events.failed(Object.assign(new Error('bad'), { code: 'ERR_SSL_BAD' }), undefined as never);
  wire.write('alert');
  t.same([heard, errors], [['cipher alert'], []]);
  await turn();
  t.same(heard, ['cipher alert', 'destroy']);
  t.equal(errors.length, 1);
});

void t.test('a handshake that cannot even start frees its place at the gate', async (t) => {
  const { gate, errors } = played(() => {
    throw Object.assign(new Error('small'), { code: 'ERR_SSL_EE_KEY_TOO_SMALL' });
  });
  t.equal(gate.running, 0);
  await turn();
  t.match(errors[0], { code: 'ERR_VC_TLS_HANDSHAKE', got: 'ERR_SSL_EE_KEY_TOO_SMALL' });
});

void t.test('a socket that is secure after the session has ended is destroyed', async (t) => {
  const { engine, events } = played();
  engine.gone(false);
  let destroyed = false;
  events.secure({ destroy: () => (destroyed = true) } as never);
  t.ok(destroyed);
  t.equal(engine.phase, 'closed');
});
