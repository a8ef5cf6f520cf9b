/** The types of what a channel takes and gives. Most of this file is for the compiler: the build fails when a type is lost. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import t from 'tap';
import type { VeracruzError } from '../../lib/core/errors.js';
import type { Slices } from '../../lib/layers/bincode/index.js';
import { bincode } from '../../lib/layers/bincode/index.js';
import { frame, lengthPrefix } from '../../lib/layers/frame/index.js';
import { type IncomingBody, protobuf, type Received, type Sent } from '../../lib/layers/protobuf/index.js';
import { type TlsClientOptions, tls } from '../../lib/layers/tls/index.js';
import { stack } from '../../lib/pipeline/stack.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { within } from '../support/foreign.js';

declare const options: TlsClientOptions;
const CLIENT = { sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse' } as const;
const MANAGER = { sends: 'RuntimeManagerResponse', receives: 'RuntimeManagerRequest' } as const;

/** True where the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only where `Is` is true. */
function expectType<Is extends true>(): Is | undefined {
  return undefined;
}

const clientOver = () => stack(protobuf(CLIENT), lengthPrefix()).over(memoryPipe()[0]);
const managerOver = () => stack(protobuf(MANAGER), lengthPrefix()).over(memoryPipe()[0]);
const linkOver = () => stack(bincode({ dialect: '2207', sends: 'request', receives: 'response' }), frame('tcp9')).over(memoryPipe()[0]);
const plainOver = () => stack(tls(options)).over(memoryPipe()[0]);

/** Never called. The compiler must refuse each: an unused `@ts-expect-error` fails the build. */
export const REFUSED = [
  // @ts-expect-error a number is no message
  () => clientOver().write(5),
  // @ts-expect-error no message of the schema has this name
  () => clientOver().write({ oneof: 'no_such_message', fields: {} }),
  // @ts-expect-error the arm of an answer, in a request
  () => clientOver().write({ oneof: 'policy_hash', fields: { data: Buffer.alloc(32) } }),
  // @ts-expect-error a field that this arm does not have
  () => clientOver().write({ oneof: 'read_file', fields: { file_name: '/a', data: Buffer.alloc(1) } }),
  // @ts-expect-error a field of another type
  () => clientOver().write({ oneof: 'read_file', fields: { file_name: 7 } }),
  // @ts-expect-error text is no body: it has no bytes of its own
  () => clientOver().write({ oneof: 'write_file', fields: { file_name: '/a', data: 'text' } }),
  // @ts-expect-error a stream without its length
  () => clientOver().write({ oneof: 'write_file', fields: { file_name: '/a', data: Readable.from([]) } }),
  // @ts-expect-error bytes are no message
  () => clientOver().write(Buffer.alloc(1)),
  // @ts-expect-error nor is text
  () => clientOver().end('text'),
  // @ts-expect-error a status that the schema does not have
  () => managerOver().write({ status: 'FINE', oneof: null }),
  // @ts-expect-error a request has no status
  () => clientOver().end({ status: 'SUCCESS', oneof: 'request_shutdown', fields: {} }),
  // @ts-expect-error what comes are messages
  () => clientOver().on('data', (chunk: Buffer) => chunk.length),
  // @ts-expect-error the same once
  () => clientOver().once('data', (chunk: string) => chunk.length),
  // @ts-expect-error and as an error that it is not
  () => clientOver().on('error', (error: { errno: number }) => error.errno),
  // @ts-expect-error bincode has no such request
  () => linkOver().write({ kind: 'Reboot' }),
  // @ts-expect-error nor this answer as a request
  () => linkOver().write({ kind: 'TlsSession', session: 1 }),
  // @ts-expect-error a stack of bytes takes no messages
  () => plainOver().write({ oneof: 'request_shutdown', fields: {} }),
  // @ts-expect-error nor numbers
  () => plainOver().write(5),
] as const;

/** Never called either: all of these compile, with the types that they must have. */
export const TAKEN = [
  () => clientOver().write({ oneof: 'write_file', fields: { file_name: '/a', data: Buffer.alloc(1) } }),
  () => clientOver().write({ oneof: 'write_file', fields: { file_name: '/a', data: { length: 3, source: Readable.from([]) } } }, () => {}),
  () => clientOver().end({ context: 3, oneof: null }),
  () => plainOver().write('text') && plainOver().write(new Uint8Array(3)) && plainOver().end(Buffer.alloc(3)),
  // A pipe has no types in Node: a channel is a Writable to it, and a Readable.
  () => Readable.from([]).pipe(clientOver()).pipe(process.stdout),
  () => pipeline(clientOver(), managerOver()),
  () => new Promise((resolve) => clientOver().once('close', resolve)),
  () => clientOver().on('error', (error) => expectType<Same<typeof error, VeracruzError>>()),
  () => clientOver().on('data', (message) => expectType<Same<typeof message, Received<'RuntimeManagerResponse'>>>()),
  () => expectType<Same<ReturnType<ReturnType<typeof clientOver>['read']>, Received<'RuntimeManagerResponse'> | null>>(),
  async () => {
    for await (const answer of linkOver()) {
      if (answer.kind === 'TlsData') expectType<Same<typeof answer.data, Slices>>();
    }
    expectType<Same<Awaited<ReturnType<ReturnType<typeof managerOver>['toArray']>>, Received<'RuntimeManagerRequest'>[]>>();
  },
  async () => {
    const whole = stack(protobuf({ ...MANAGER, deliver: 'whole' }), lengthPrefix()).over(memoryPipe()[0]);
    for await (const request of whole) {
      if (request.oneof === 'write_file') expectType<Same<typeof request.fields.data, Buffer>>();
    }
  },
] as const;

/** What a manager would answer. The compiler knows the fields of each request, and that no request is left out. */
function answerTo(request: Received<'RuntimeManagerRequest'>): Sent<'RuntimeManagerResponse'> {
  switch (request.oneof) {
    case 'write_file':
    case 'append_file':
      expectType<Same<typeof request.fields.data, IncomingBody>>();
      request.fields.data.resume();
      return { status: 'SUCCESS', oneof: null };
    case 'read_file':
    case 'request_result':
    case 'request_pi_hash':
      // @ts-expect-error these have a name and nothing else
      void request.fields.data;
      return { status: 'SUCCESS', oneof: 'result', fields: { data: Buffer.from(request.fields.file_name) } };
    case 'request_pipeline':
      expectType<Same<typeof request.fields.file_name, string>>();
      return { status: 'FAILED_INVALID_REQUEST', oneof: null };
    case 'request_proxy_psa_attestation_token':
    case 'psa_attestation_init':
      expectType<Same<typeof request.fields.challenge, Buffer>>();
      return { status: 'FAILED_INVALID_REQUEST', oneof: null };
    case 'request_shutdown':
    case 'request_policy_hash':
      return { status: 'FAILED_NOT_READY', oneof: null };
    case null:
      return { status: 'FAILED_INVALID_REQUEST', oneof: null };
    default:
      return request satisfies never;
  }
}

void t.test('what the types say is what comes: a message by its name, with its fields', async (t) => {
  const [left, right] = memoryPipe();
  const client = stack(protobuf(CLIENT), lengthPrefix()).over(left);
  const manager = stack(protobuf({ ...MANAGER, deliver: 'streamed' }), lengthPrefix()).over(right);
  manager.on('data', (request) => manager.write(answerTo(request)));
  manager.on('end', () => manager.end());
  const sent: Sent<'RuntimeManagerRequest'>[] = [
    { oneof: 'write_file', fields: { file_name: '/a', data: Buffer.from('abc') } },
    { oneof: 'read_file', fields: { file_name: '/b' } },
  ];
  // `pipe` and `pipeline` compile with a channel of messages.
  const sending = pipeline(Readable.from(sent), client, { end: true });
  const answers: string[] = [];
  for await (const answer of client) {
    if (answer.oneof === 'result') answers.push(`${answer.status} ${(await answer.fields.data.toArray()).join('')}`);
    else answers.push(`${answer.status} ${answer.oneof}`);
  }
  await within('the sending', sending);
  t.same(answers, ['SUCCESS null', 'SUCCESS /b']);
});

void t.test('a stack of bytes takes text, with its encoding, and any Uint8Array', async (t) => {
  const [left, right] = memoryPipe();
  const one = stack(lengthPrefix({ deliver: 'whole' })).over(left);
  const other = stack(lengthPrefix({ deliver: 'whole' })).over(right);
  one.write('grüße');
  // The types name no encoding: in object mode, Node hands one on that was named all the same.
  (one as unknown as { write(text: string, encoding: BufferEncoding): void }).write('6162', 'hex');
  one.write(new Uint8Array(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2));
  one.end();
  const got: Buffer[] = [];
  other.on('data', (message) => got.push(message));
  await within('the messages', once(other, 'end'));
  t.same(
    got.map((chunk) => [Buffer.isBuffer(chunk), chunk.toString('latin1')]),
    [
      [true, Buffer.from('grüße').toString('latin1')],
      [true, 'ab'],
      [true, '\x02\x03'],
    ],
  );
  other.end();
});
