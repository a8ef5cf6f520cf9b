/** Requests and bodies of a Proxy Attestation Server: what it takes, and what is broken (wire spec §F.1, §F.2). */
import { DIALECTS, type Dialect } from '../../layers/formats/dialect.js';
import { type Case, expect, passed, stricter, weaker } from '../case.js';
import { type Http, type HttpAnswer, post } from '../peers/http.js';
import { piecesOf } from '../peers/pipe.js';
import { prefixed } from '../peers/visitor.js';
import type { Scope } from '../scope.js';
import { messageVectors, negativeVectors } from '../vectors.js';
import { type AttestationContext, refused } from './context.js';

type AttestationCase = Case<AttestationContext>;

const START: readonly AttestationCase[] = [
  ...(['psa', 'nitro'] as const).map(
    (protocol): AttestationCase => ({
      name: `start.${protocol}`,
      section: 'F.1',
      level: 'wire',
      expects: `start_msg of ${protocol}: HTTP/1.1 200 OK, a challenge of 32 bytes and a positive device id, in exact bytes.`,
      run: async (context, scope) => {
        const { challenge, deviceId } = await context.start(scope, protocol);
        expect(challenge.length === 32, `a challenge of ${challenge.length} bytes`);
        expect(deviceId > 0, `the device id is ${deviceId}`);
        return undefined;
      },
    }),
  ),
  {
    name: 'start.unknown-protocol',
    section: 'F.2',
    level: 'wire',
    expects: 'A protocol that nobody knows: 501.',
    run: async (context, scope) => {
      const { status } = await context.send(scope, '/Start', context.startMessage('sgx'));
      expect(status === 501, `answered with ${status}`);
      return undefined;
    },
  },
  {
    name: 'start.fresh',
    section: 'F.1',
    level: 'trust',
    expects: 'Two starts have two challenges and two device ids.',
    run: async (context, scope) => {
      const [one, two] = [await context.start(scope), await context.start(scope)];
      expect(!one.challenge.equals(two.challenge), 'the same challenge twice');
      expect(one.deviceId !== two.deviceId, 'the same device id twice');
      return undefined;
    },
  },
  {
    name: 'start.device-ids',
    section: 'F.3',
    level: 'trust',
    expects: 'Device ids cannot be guessed. Weaker: they count up, as the original’s.',
    run: async (context, scope) => {
      const [one, two] = [await context.start(scope), await context.start(scope)];
      return two.deviceId - one.deviceId === 1 ? weaker(`${one.deviceId}, ${two.deviceId}`) : undefined;
    },
  },
];

/** A message that a case sends in a shape of its own, and its answer. */
const shaped = (
  name: string,
  expects: string,
  send: (http: Http, bytes: Buffer, context: AttestationContext, scope: Scope) => Promise<HttpAnswer>,
): AttestationCase => ({
  name,
  section: 'F.1',
  level: 'wire',
  expects,
  run: async (context, scope) => {
    const body = context.bodyOf(context.startMessage());
    const http = await context.connect(scope);
    context.messageOf(await send(http, post(body, { path: '/Start' }), context, scope));
    return undefined;
  },
});

const SHAPES: readonly AttestationCase[] = [
  shaped('body.split-bytes', 'A request that comes byte by byte is the same request.', async (http, bytes) => {
    await http.pipe.writePieces(piecesOf(bytes, 1));
    return http.answer();
  }),
  shaped('body.split-head', 'A request whose body comes behind its head is the same request.', async (http, bytes) => {
    const head = bytes.indexOf('\r\n\r\n') + 4;
    await http.pipe.writePieces([bytes.subarray(0, head), bytes.subarray(head, head + 5), bytes.subarray(head + 5)]);
    return http.answer();
  }),
  shaped('body.keep-alive', 'A connection takes one request after the other.', async (http, bytes, context) => {
    context.messageOf(await http.send(bytes));
    return http.send(bytes);
  }),
  {
    name: 'body.no-padding',
    section: 'C.1',
    level: 'wire',
    expects: 'base64 without its padding is taken. Stricter: it is refused.',
    run: async (context, scope) => {
      const padded = paddedBody(context);
      const answer = await context.post(scope, '/Start', padded.replace(/=+$/, ''));
      if (answer.status >= 400) return stricter(String(answer.status));
      context.messageOf(answer);
      return undefined;
    },
  },
];

/** A body that ends with padding: a context of two more bytes changes the length's remainder by three. */
function paddedBody(context: AttestationContext): string {
  const bodies = [0, 1].map((number) => context.bodyOf({ ...context.startMessage(), context: number }));
  return bodies.find((body) => body.endsWith('=')) as string;
}

/** Bodies that are no message. */
const BROKEN: Readonly<Record<string, (message: Buffer) => string | Buffer>> = {
  empty: () => '',
  'no-base64': () => 'this is *not* base64',
  'short-prefix': () => Buffer.alloc(5).toString('base64'),
  'no-prefix': (message) => message.toString('base64'),
  'prefix-too-large': (message) => prefixOf(message.length + 1, message),
  'prefix-little-endian': (message) => {
    const bytes = prefixed(message);
    return Buffer.concat([bytes.subarray(0, 8).reverse(), message]).toString('base64');
  },
  'huge-prefix': (message) => Buffer.concat([Buffer.alloc(8, 0xff), message]).toString('base64'),
  'empty-message': () => prefixOf(0, Buffer.alloc(0)),
  'two-messages': (message) => Buffer.concat([prefixed(message), prefixed(message)]).toString('base64'),
  'no-protobuf': () => prefixOf(4, Buffer.from('0e010f01', 'hex')),
  'answer-as-request': () => prefixOf(4, Buffer.from('2a021200', 'hex')),
};

function prefixOf(length: number, message: Buffer): string {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64BE(BigInt(length));
  return Buffer.concat([prefix, message]).toString('base64');
}

const BODIES: readonly AttestationCase[] = Object.entries(BROKEN).map(([what, bodyOf]) => ({
  name: `broken.${what}`,
  section: 'F.2',
  level: 'robust',
  expects: 'A malformed body is refused (400; 500 by the original), and the next request is served. Weaker: the next one is spoilt.',
  run: async (context, scope) => {
    const message = prefixedMessage(context);
    const answer = await context.post(scope, '/Start', bodyOf(message));
    const status = refused('a malformed body', answer);
    const next = await context.send(scope, '/Start', context.startMessage());
    if (next.status >= 400) {
      await context.serves(scope);
      return weaker(`${status}, and the next request ${next.status}`);
    }
    context.messageOf(next);
    return passed(status);
  },
}));

function prefixedMessage(context: AttestationContext): Buffer {
  return Buffer.from(context.bodyOf(context.startMessage()), 'base64').subarray(8);
}

const HTTP: readonly AttestationCase[] = [
  {
    name: 'http.unknown-path',
    section: 'F.2',
    level: 'wire',
    expects: 'A path that is no service is refused: 404, or 500 by the original.',
    run: async (context, scope) => passed(refused('an unknown path', await context.send(scope, '/Nothing', context.startMessage()))),
  },
  {
    name: 'http.get',
    section: 'F.2',
    level: 'wire',
    expects: 'GET /Start is refused: 405, or another status of refusal.',
    run: async (context, scope) =>
      passed(refused('GET /Start', await context.post(scope, '/Start', '', { method: 'GET', path: '/Start' }))),
  },
  {
    name: 'http.large-body',
    section: 'F.2',
    level: 'robust',
    expects: 'A body of 4 MiB is refused, by 413 or by the end of the connection.',
    run: async (context, scope) => {
      const http = await context.connect(scope);
      http.pipe.write(post(Buffer.alloc(4 * 2 ** 20, 0x41), { path: '/Start' }));
      const answer = await http.refusal();
      const saw = answer === undefined ? 'the connection ended' : refused('4 MiB', answer);
      await context.serves(scope);
      return passed(saw);
    },
  },
  {
    name: 'http.truncated',
    section: 'F.2',
    level: 'robust',
    expects: 'A connection that ends inside a body harms nobody else.',
    run: async (context, scope) => {
      const http = await context.connect(scope);
      http.pipe.write(post(context.bodyOf(context.startMessage()), { path: '/Start' }).subarray(0, -6));
      http.pipe.destroy();
      await context.serves(scope);
      return undefined;
    },
  },
];

/** Each golden vector is read: what the server makes of it is its own affair, as long as it answers. */
function vectorCases(dialect: Dialect): AttestationCase[] {
  return [
    {
      name: 'vectors.requests',
      section: 'A.5',
      level: 'wire',
      dialects: dialect === 'head' ? [dialect] : DIALECTS.filter((other) => other !== 'head'),
      expects: 'Each golden vector of a request is answered; start_msg of psa and nitro with a challenge.',
      run: async (context, scope) => {
        const vectors = messageVectors(dialect, 'ProxyAttestationServerRequest');
        for (const { name, arm, hex } of vectors) {
          const answer = await context.post(scope, pathOf(arm), prefixed(Buffer.from(hex, 'hex')).toString('base64'));
          if (/start_msg\/(psa|nitro)/.test(name)) context.messageOf(answer);
        }
        await context.serves(scope);
        return passed(`${vectors.length} vectors`);
      },
    },
  ];
}

function pathOf(arm: string | null): string {
  if (arm === 'native_psa_attestation_token') return '/PSA/AttestationToken';
  if (arm === 'nitro_attestation_doc') return '/Nitro/AttestationToken';
  return '/Start';
}

const NEGATIVE: readonly AttestationCase[] = negativeVectors('2207', 'protobuf', 'ProxyAttestationServerRequest')
  .filter((vector) => vector.refused)
  .map(({ name, hex }) => ({
    name: `protobuf.${name.split('/').at(-1)}`,
    section: 'A.2',
    level: 'robust',
    expects: 'Bytes that are no message are refused.',
    run: async (context, scope) => {
      const body = prefixed(Buffer.from(hex, 'hex')).toString('base64');
      return passed(refused('no message', await context.post(scope, '/Start', body)));
    },
  }));

const UNKNOWN_FIELD: AttestationCase = {
  name: 'protobuf.unknown-field',
  section: 'A.6',
  level: 'wire',
  expects: 'A field that the schema does not have is skipped.',
  run: async (context, scope) => {
    const message = Buffer.concat([Buffer.from('7801', 'hex'), prefixedMessage(context)]);
    context.messageOf(await context.post(scope, '/Start', prefixed(message).toString('base64')));
    return undefined;
  },
};

export const REQUEST_CASES: readonly AttestationCase[] = [
  ...START,
  ...SHAPES,
  ...BODIES,
  ...HTTP,
  ...vectorCases('2207'),
  ...vectorCases('head'),
  ...NEGATIVE,
  UNKNOWN_FIELD,
];
