/** What the protobuf tests share: messages of vectors, messages with their bodies read, splits as announced chunks. */
import type { Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { VeracruzError } from '../../../lib/core/errors.js';
import { Announce } from '../../../lib/core/unit.js';
import type { Dialect } from '../../../lib/layers/formats/dialect.js';
import { type EnvelopeName, IncomingBody } from '../../../lib/layers/protobuf/index.js';
import { type GoldenDialect, goldenBytes, goldenText } from '../../support/golden.js';

/** Limits that let every vector through (one has a file name of 70,008 bytes). */
export const WIDE = Object.freeze({ maxFileNameBytes: 2 ** 20 });

export function dialectOf(golden: GoldenDialect): Dialect {
  return golden.slice('veracruz-'.length) as Dialect;
}

/** The message that the `value` of a vector stands for. */
export function messageOf(value: any): { type: EnvelopeName; message: any } {
  const { type, fields, ...message } = value;
  if (fields !== undefined) {
    message.fields = Object.fromEntries(
      Object.entries<any>(fields).map(([name, field]) => {
        if (typeof field === 'number') return [name, field];
        return [name, typeof field === 'string' || 'repeat' in field ? goldenText(field) : goldenBytes(field)];
      }),
    );
  }
  return { type, message };
}

/** The message that two readings have to agree on: own fields only, bytes as hex. */
export function plain(message: any): any {
  return JSON.parse(
    JSON.stringify(message, (_key, value) => (value?.type === 'Buffer' ? { hex: Buffer.from(value.data).toString('hex') } : value)),
  );
}

export interface Got {
  messages: any[];
  error: VeracruzError | undefined;
  /** Errors of bodies, in order. */
  bodyErrors: VeracruzError[];
}

/** Writes `chunks` into an inbound stream and reads messages and their bodies until the end or the error. */
export async function receive(stream: Transform, chunks: readonly unknown[], { end = true } = {}): Promise<Got> {
  const got: Got = { messages: [], error: undefined, bodyErrors: [] };
  const bodies: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    stream.on('data', (message: any) => {
      const copy = { ...message, fields: message.fields && { ...message.fields } };
      const body = message.fields?.data;
      if (!(body instanceof IncomingBody)) {
        got.messages.push(message);
        return;
      }
      got.messages.push(copy);
      bodies.push(
        buffer(body).then(
          (bytes) => {
            // Envelope fields may stand after the arm.
            Object.assign(copy, { ...message, fields: { ...message.fields, data: bytes } });
          },
          (error: VeracruzError) => {
            got.bodyErrors.push(error);
          },
        ),
      );
    });
    stream.on('error', (error: VeracruzError) => {
      got.error = error;
    });
    stream.on('close', resolve);
    void (async () => {
      for (const chunk of chunks) {
        if (stream.destroyed) return;
        if (stream.write(chunk)) continue;
        await new Promise<void>((go) => {
          stream.once('drain', go);
          stream.once('close', go);
        });
      }
      if (end) stream.end();
    })();
  });
  await Promise.all(bodies);
  return got;
}

/** One announced message, cut as told. */
export function announced(pieces: readonly Buffer[], length = pieces.reduce((sum, piece) => sum + piece.length, 0)): unknown[] {
  return [new Announce(length), ...pieces];
}

/** A protobuf varint. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** A length-delimited field. */
export function delimited(number: number, ...parts: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** Bytes that differ from place to place. */
export function patterned(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8)) & 0xff;
  return bytes;
}
