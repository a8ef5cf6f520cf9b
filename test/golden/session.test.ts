import type { Transform } from 'node:stream';
import fc from 'fast-check';
import t from 'tap';
import { Connection } from '../../lib/core/connection.js';
import type { VeracruzError } from '../../lib/core/errors.js';
import { BOUNDARY } from '../../lib/core/unit.js';
import { base64 } from '../../lib/layers/base64/index.js';
import { session } from '../../lib/layers/session/index.js';
import { feed } from '../support/feed.js';
import { asWire, type GoldenBytes, goldenBytes, negativeVectors, vectors } from '../support/golden.js';
import { byteByByte, cutAt, everyCut, seeded, wholePiece } from '../support/splits.js';
import { differences } from './differences.js';

type Kind = 'request' | 'response';

/** What is fed in more ways than whole is up to this long. */
const EVERY_CUT_MAX_BYTES = 200;
const SINGLE_MAX_BYTES = 30_000;

/** Runs chunks through one direction of a layer after the other, up to the first error. */
async function through(streams: readonly Transform[], chunks: readonly unknown[]): Promise<{ items: unknown[]; error?: VeracruzError }> {
  let items = [...chunks];
  for (const stream of streams) {
    const fed = await feed(stream, items);
    if (fed.error !== undefined) return { items: fed.items, error: fed.error };
    items = fed.items;
  }
  return { items };
}

/** The data of a request, or the items of a response. */
function partsOf(value: any): Buffer[] {
  const parts: GoldenBytes[] = value.kind === 'request' ? [value.data] : value.items;
  return parts.map(goldenBytes);
}

async function write(value: any): Promise<Buffer> {
  const end = value.kind === 'request' ? 'client' : 'server';
  const layer = session({ end, id: value.session_id ?? 0 });
  const chunks = partsOf(value).flatMap((part) => [part, BOUNDARY]);
  const { items, error } = await through([base64().outbound(), layer.outbound()], chunks);
  if (error !== undefined) throw error;
  return Buffer.concat(items.filter((item): item is Buffer => Buffer.isBuffer(item)));
}

/** Reads one body as strictly as the reference: the id it has, the texts in it. */
async function read(kind: Kind, pieces: readonly Buffer[]): Promise<{ id: number | undefined; parts: Buffer[]; error?: VeracruzError }> {
  let id: number | undefined;
  const connection = new Connection();
  const layer = session({
    end: kind === 'request' ? 'server' : 'client',
    allowPoll: false,
    onId: (told) => {
      id = told;
    },
  });
  const { items, error } = await through([layer.inbound(connection), base64().inbound(connection)], [...pieces, BOUNDARY]);
  const parts: Buffer[] = [];
  let part: Buffer[] = [];
  for (const item of items) {
    if (Buffer.isBuffer(item)) part.push(item);
    else {
      parts.push(Buffer.concat(part));
      part = [];
    }
  }
  return { id, parts, ...(error && { error }) };
}

void t.test('every vector is written byte for byte', async (t) => {
  const all = vectors('session');
  t.ok(all.length > 0);
  for (const { name, value, wire } of all) t.same(asWire(await write(value), wire), wire, name);
});

void t.test('every vector is read, however it is cut', async (t) => {
  for (const { name, value, wire } of vectors('session')) {
    const bytes = await write(value);
    t.same(asWire(bytes, wire), wire, name);
    const cuts = [wholePiece(bytes)];
    if (bytes.length <= SINGLE_MAX_BYTES) cuts.push(byteByByte(bytes));
    if (bytes.length <= EVERY_CUT_MAX_BYTES) cuts.push(...everyCut(bytes));
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (offsets) => cuts.push(cutAt(bytes, offsets)) > 0),
      seeded(5),
    );
    // Empty parts do not survive the text form: of a response they vanish, and a request needs its data.
    const full = partsOf(value).filter((part) => part.length > 0);
    const readable = value.kind === 'response' || full.length > 0;
    // A client is told an id that is one; 0 and none leave it as it was.
    const id = value.kind === 'request' ? value.session_id : value.session_id || undefined;
    const bad: unknown[] = [];
    for (const pieces of cuts) {
      const { error, ...back } = await read(value.kind as Kind, pieces);
      const same = back.id === id && back.parts.length === full.length && back.parts.every((part, i) => part.equals(full[i] as Buffer));
      if (readable ? error !== undefined || !same : error?.code !== 'ERR_VC_SESSION_TEXT') bad.push(pieces.length, error);
    }
    t.same(bad, [], name);
  }
});

void t.test('bad input: the outcome of the reference, or a difference that is meant', async (t) => {
  const negative = negativeVectors('session');
  t.ok(negative.length > 0);
  for (const vector of negative) {
    const { name, expect, value } = vector;
    const bytes = Buffer.from(vector.wire?.hex ?? '', 'hex');
    for (const pieces of [wholePiece(bytes), byteByByte(bytes), ...everyCut(bytes)]) {
      const { id, parts, error } = await read(vector.target as Kind, pieces);
      const what = `${name} cut at ${pieces[0]?.length}: ${String(error)}`;
      if (expect !== 'accept') {
        t.ok(error?.code.startsWith('ERR_VC_SESSION') || error?.code === 'ERR_VC_BASE64', what);
      } else if (error === undefined) {
        t.equal(id ?? 0, value.session_id ?? 0, what);
        t.same(parts, partsOf(value), what);
      } else {
        t.ok(
          differences.some((entry) => entry.layer === 'session' && entry.applies(vector, error)),
          what,
        );
      }
    }
  }
});
