/** Writes the annotations as a tree of JSON. It is written piece by piece and not kept in memory. */
import { createHash } from 'node:crypto';
import type { Annotation } from './annotate.js';
import type { Fault, Row, Value } from './region.js';

/** A byte string or text of more bytes is shown by its length, its SHA-256, and its first and last 64 bytes. */
const WHOLE_BYTES = 4096;
const END_BYTES = 64;

/**
 * Yields `{...head, children: [...], error: null | {...}}` in pieces. Each child is {layer, field, offset, length, value?,
 * name?, note?, decoded?, children?}.
 */
export function* jsonPieces(head: object, items: Iterable<Annotation>): Generator<string, void, undefined> {
  yield `${JSON.stringify(head).slice(0, -1)},"children":[`;
  /** Depths of the groups that are open. */
  const open: number[] = [];
  let first = true;
  let fault: Fault | undefined;
  for (const item of items) {
    if (item.kind === 'fault') {
      fault = item;
      continue;
    }
    for (; open.length > 0 && (open.at(-1) as number) >= item.depth; open.pop()) {
      yield ']}';
      first = false;
    }
    const node = JSON.stringify(nodeOf(item));
    yield `${first ? '' : ','}${item.kind === 'group' ? `${node.slice(0, -1)},"children":[` : node}`;
    first = item.kind === 'group';
    if (first) open.push(item.depth);
  }
  yield `${']}'.repeat(open.length)}],"error":${JSON.stringify(fault === undefined ? null : faultOf(fault))}}\n`;
}

function nodeOf({ layer, field, offset, length, value, name, note, decoded, bytes }: Row): object {
  return {
    layer,
    field,
    offset,
    length,
    ...(value !== undefined && { value: jsonValue(value, bytes) }),
    ...(name !== undefined && { name }),
    ...(note !== undefined && { note }),
    ...(decoded && { decoded }),
  };
}

function jsonValue(value: Value, bytes: Buffer): unknown {
  if (Buffer.isBuffer(value)) return value.length <= WHOLE_BYTES ? { hex: value.toString('hex') } : digest(value);
  if (typeof value === 'string' && bytes.length > WHOLE_BYTES) return digest(bytes);
  return value;
}

function digest(bytes: Buffer): object {
  return {
    length: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    head: bytes.subarray(0, END_BYTES).toString('hex'),
    tail: bytes.subarray(-END_BYTES).toString('hex'),
  };
}

function faultOf({ layer, offset, decoded, error }: Fault): object {
  const figure = (value: number | bigint | string | undefined) => (typeof value === 'bigint' ? String(value) : value);
  return {
    layer,
    code: error.code,
    message: error.message,
    offset,
    ...(decoded && { decoded }),
    expected: figure(error.expected),
    got: figure(error.got),
    limit: error.limit,
  };
}
