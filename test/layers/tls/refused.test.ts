/** What a client sends behind a certificate that is refused, before node:tls has closed its socket. */
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import t from 'tap';
import { madeUpChain } from '../../../bench/attack/support/certificates.js';
import { makeIdentity } from '../../../lib/attestation/identity.js';
import { until } from '../../support/foreign.js';
import { serverOptions } from './pki.js';
import { open } from './talk.js';

/** A pipe that gives what it is told to, and tells what is written to it. */
function pipeTo(written: (chunk: Buffer) => void): Duplex {
  return new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written(chunk);
      done();
    },
  });
}

function* recordsOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    yield bytes.subarray(at, end);
    at = end;
  }
}

const STRANGERS = {
  'self-signed': makeIdentity({ commonName: 'stranger' }),
  // OpenSSL leaves its reason in its queue of errors, so node:tls takes the handshake for failed, and OpenSSL goes on with it.
  'of an issuer who has not signed it': madeUpChain(1),
};

for (const [what, { key, certificate }] of Object.entries(STRANGERS)) {
  void t.test(`a certificate ${what}, and data in the same turn: the session ends, and nothing is thrown`, async (t) => {
    const held: Buffer[] = [];
    const near = pipeTo((chunk) => held.push(chunk));
    const far: Duplex = pipeTo((chunk) => near.push(chunk));
    const server = open(serverOptions(), far);
    const client = connect({ socket: near, key, cert: certificate, rejectUnauthorized: false, minVersion: 'TLSv1.3' });
    client.on('error', () => {});
    await until('the hello', () => held.length > 0);
    for (const chunk of held.splice(0)) far.push(chunk);
    await new Promise((resolve) => client.once('secureConnect', resolve));
    client.write('let me in');
    await until('the data', () => Buffer.concat(held).length > 0 && client.writableLength === 0);
    const records = [...recordsOf(Buffer.concat(held))];
    t.ok(records.length >= 4, 'certificate, proof, finished, data');
    for (const record of records) t.doesNotThrow(() => far.push(record));
    await server.closed;
    // Which of the two reasons comes first is a matter of turns.
    t.match(server.error, { code: /^ERR_VC_(CERTIFICATE|TLS_HANDSHAKE)$/, layer: 'tls' });
    t.equal(server.bytes.length, 0);
    client.destroy();
  });
}
