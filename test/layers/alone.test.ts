/** Each direction of each layer alone, between plain streams of bytes, with what Node has for bytes. */
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import t, { type Test } from 'tap';
import type { LayerStream } from '../../lib/core/layer-stream.js';
import { base64 } from '../../lib/layers/base64/index.js';
import { frame, lengthPrefix } from '../../lib/layers/frame/index.js';
import { records } from '../../lib/layers/records/index.js';
import { session } from '../../lib/layers/session/index.js';
import { within } from '../support/foreign.js';

/** Three whole TLS records, of 5 and 300 and 16,384 bytes. */
const RECORDS = Buffer.concat(
  [5, 300, 16_384].map((length) => Buffer.concat([Buffer.of(23, 3, 3, length >> 8, length & 255), Buffer.alloc(length, length)])),
);
const BYTES = Buffer.alloc(200_001, 'any bytes');

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'vc-alone-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

interface Case {
  readonly outbound: () => LayerStream<unknown, unknown>;
  readonly inbound: () => LayerStream<unknown, unknown>;
  readonly plain: Buffer;
  /** What must come out below. A frame's chunks are those of the file that is read, 64 KiB each. */
  readonly wire: Buffer;
}

/** Payloads of 64 KiB, each behind its header. */
function framed(header: (length: number) => Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < BYTES.length; at += 65_536) {
    const part = BYTES.subarray(at, at + 65_536);
    parts.push(header(part.length), part);
  }
  return Buffer.concat(parts);
}

function be64(length: number): Buffer {
  const header = Buffer.alloc(8);
  header.writeBigUInt64BE(BigInt(length));
  return header;
}

function tcp9(length: number): Buffer {
  const header = Buffer.alloc(9);
  header.writeBigUInt64LE(BigInt(length));
  return header;
}

const text = Buffer.from(BYTES.toString('base64'));
const CASES: Record<string, Case> = {
  base64: { outbound: () => base64().outbound(), inbound: () => base64().inbound(), plain: BYTES, wire: text },
  'base64, deferred': {
    outbound: () => base64({ deferred: true }).outbound(),
    inbound: () => base64().inbound(),
    plain: BYTES,
    wire: text,
  },
  'length-prefix': { outbound: () => lengthPrefix().outbound(), inbound: () => lengthPrefix().inbound(), plain: BYTES, wire: framed(be64) },
  'length-prefix, whole': {
    outbound: () => lengthPrefix({ deliver: 'whole' }).outbound(),
    inbound: () => lengthPrefix({ deliver: 'whole' }).inbound(),
    plain: BYTES,
    wire: framed(be64),
  },
  frame: { outbound: () => frame('tcp9').outbound(), inbound: () => frame('tcp9').inbound(), plain: BYTES, wire: framed(tcp9) },
  records: { outbound: () => records().outbound(), inbound: () => records().inbound(), plain: RECORDS, wire: RECORDS },
  'session, client': {
    outbound: () => session({ end: 'client', id: 7 }).outbound(),
    inbound: () => session({ end: 'server' }).inbound(),
    plain: text,
    wire: Buffer.from(`7 ${text.toString('latin1')}`),
  },
  'session, server': {
    outbound: () => session({ end: 'server', id: 7 }).outbound(),
    inbound: () => session({ end: 'client' }).inbound(),
    plain: text,
    wire: Buffer.from(`7 ${text.toString('latin1')}`),
  },
};

void t.test('with a file at each end', async (t) => {
  const folder = folderOf(t);
  for (const [name, { outbound, inbound, plain, wire }] of Object.entries(CASES)) {
    const [up, down, back] = ['up', 'down', 'back'].map((file) => join(folder, file)) as [string, string, string];
    writeFileSync(up, plain);
    await within(name, pipeline(createReadStream(up), outbound(), createWriteStream(down)));
    t.ok(readFileSync(down).equals(wire), `${name}, outbound`);
    await within(name, pipeline(createReadStream(down), inbound(), createWriteStream(back)));
    t.ok(readFileSync(back).equals(plain), `${name}, inbound`);
    // The same by `pipe`, into another stream of bytes.
    const piped = createReadStream(down).pipe(inbound()).pipe(new PassThrough());
    t.ok(Buffer.concat((await within(name, piped.toArray())) as Buffer[]).equals(plain), `${name}, by pipe`);
  }
});

void t.test('bytes of any kind: Buffers, Uint8Arrays and text, one byte a chunk too', async (t) => {
  for (const [name, { inbound, plain, wire }] of Object.entries(CASES)) {
    const kinds: Record<string, () => Iterable<unknown>> = {
      Uint8Array: () => [new Uint8Array(wire)],
      'a text': () => [wire.toString('latin1')],
      'single bytes': () => Array.from(wire.subarray(0, 40), (byte) => new Uint8Array([byte])),
    };
    for (const [kind, chunks] of Object.entries(kinds)) {
      const stream = inbound();
      if (kind === 'a text') stream.setDefaultEncoding('latin1');
      const out: Buffer[] = [];
      stream.on('data', (item: unknown) => Buffer.isBuffer(item) && out.push(item));
      let failed: Error | undefined;
      stream.on('error', (error) => {
        failed = error;
      });
      const over = new Promise((resolve) => stream.once('close', resolve));
      for (const chunk of chunks()) stream.write(chunk);
      stream.end();
      await within(`${name} of ${kind}`, over);
      const got = Buffer.concat(out);
      if (kind === 'single bytes') t.ok(plain.subarray(0, got.length).equals(got), `${name} of ${kind}`);
      else t.ok(failed === undefined && got.equals(plain), `${name} of ${kind}: ${failed?.message}`);
    }
  }
});

void t.test('a message a chunk, whatever its kind', async (t) => {
  const messages = ['first', new Uint8Array([1, 2]), Buffer.alloc(3), '€'];
  const sizes: number[] = [];
  await pipeline(
    Readable.from(messages),
    lengthPrefix().outbound(),
    lengthPrefix({ deliver: 'whole' }).inbound(),
    new Writable({
      objectMode: true,
      write(message: Buffer, _encoding, done) {
        sizes.push(message.length);
        done();
      },
    }),
  );
  t.same(sizes, [5, 2, 3, 3]);
});

void t.test('a stream in object mode still gets the bounds', async (t) => {
  const items: unknown[] = [];
  await pipeline(
    Readable.from([RECORDS]),
    records().outbound(),
    new Writable({ objectMode: true, write: (item, _encoding, done) => done(void items.push(item) as unknown as null) }),
  );
  t.same(
    items.map((item) => typeof item),
    ['object', 'symbol', 'object', 'symbol', 'object', 'symbol'],
  );
});

void t.test('a slow file is waited for', async (t) => {
  let most = 0;
  const stream = base64().inbound();
  const slow = new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, done) {
      most = Math.max(most, stream.readableLength);
      setImmediate(done);
    },
  });
  const source = Readable.from(Array.from({ length: 200 }, () => Buffer.from('QUJD'.repeat(1000))));
  await within('the file', pipeline(source, stream, slow));
  t.ok(most > 0 && most <= 8, `${most} chunks wait at most`);
});
