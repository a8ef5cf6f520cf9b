import { base64Rows } from './base64.js';
import { bincodeRows } from './bincode.js';
import { frameRows } from './frame.js';
import { httpRows } from './http.js';
import { prefixRows } from './length-prefix.js';
import { protobufRows } from './protobuf.js';
import type { LayerName, Reading } from './reading.js';
import { recordRows } from './records.js';
import { type Fault, FaultFound, Region, type Row, type Rows } from './region.js';
import { sessionRows } from './session.js';

export type Annotation = Row | Fault;

const ANNOTATORS: Readonly<Record<LayerName, (region: Region, reading: Reading) => Rows>> = {
  protobuf: protobufRows,
  prefix: prefixRows,
  record: recordRows,
  base64: base64Rows,
  session: sessionRows,
  http: httpRows,
  bincode: bincodeRows,
  frame: frameRows,
};

/**
 * Describes each byte of `bytes`, from the layer of `reading` upward. Yields rows in the order of the bytes; their fields
 * cover the whole input. At the first error it yields one row for the bytes that were not read, and then the fault. Rows are
 * not kept in memory.
 */
export function* annotate(bytes: Buffer, reading: Reading): Generator<Annotation, void, undefined> {
  const region = new Region(bytes);
  let covered = 0;
  try {
    for (const row of ANNOTATORS[reading.layer](region, reading)) {
      if (row.kind === 'field' && !row.decoded) covered = row.offset + row.length;
      yield row;
    }
  } catch (thrown) {
    if (!(thrown instanceof FaultFound)) throw thrown;
    const { fault } = thrown;
    if (covered < bytes.length) yield region.field(fault.layer, 'not read', covered, bytes.length - covered);
    yield fault;
  }
}
