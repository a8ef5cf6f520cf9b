/**
 * Where our reader of protobuf and protobufjs or protobuf-es differ on purpose. What the original does (rust-protobuf) decides:
 * its answers to such input are in fixtures/wire/negative.json, and where we differ from it is in test/golden/differences.ts.
 */
import protobufjs from 'protobufjs';
import { VeracruzError } from '../../../lib/core/errors.js';
import { differences } from '../../../test/golden/differences.js';

/** A message in the form in which all three are compared: what is set, bytes as hexadecimal. */
export type Form = Readonly<Record<string, unknown>>;

export interface Readings {
  readonly input: Buffer;
  readonly ours: Form | undefined;
  /** Why we refused it. */
  readonly error: unknown;
  readonly theirs: Form | undefined;
  readonly theirError: unknown;
}

interface PeerDifference {
  readonly peer: 'protobufjs' | 'protobuf-es' | 'both';
  readonly reason: string;
  readonly applies: (readings: Readings) => boolean;
}

/** We refuse it with a ProtobufError that says `words`. */
const refusedFor =
  (words: RegExp) =>
  ({ error }: Readings) =>
    error instanceof VeracruzError && error.code === 'ERR_VC_PROTOBUF' && words.test(error.message);

const PEER_DIFFERENCES: readonly PeerDifference[] = [
  {
    peer: 'both',
    reason: 'what we also refuse where the original takes it, each with its reason in test/golden/differences.ts',
    applies: ({ error }) =>
      error instanceof VeracruzError && differences.some((each) => each.layer === 'protobuf' && each.applies(undefined as never, error)),
  },
  {
    peer: 'both',
    reason: 'a known field of another wire type: the original refuses it, the peers skip it, or read it as what it is not',
    applies: refusedFor(/has wire type \d in place of \d/),
  },
  {
    peer: 'both',
    reason: 'a varint of more than 64 bits: the original refuses it, a peer drops the surplus',
    applies: refusedFor(/a varint of more than 64 bits/),
  },
  {
    peer: 'protobufjs',
    reason: 'a field of the number 0: the original refuses it, protobufjs skips it',
    applies: refusedFor(/^field number 0 /),
  },
  {
    peer: 'protobuf-es',
    reason: 'a field that runs over the end of the message around it: protobuf-es reads on in what stands behind',
    applies: refusedFor(/reaches past the end of its message/),
  },
  {
    peer: 'both',
    reason: 'a status outside of the enum: for the original it is as if it had not come, the peers give its number',
    applies: ({ ours, theirs }) =>
      ours !== undefined && theirs !== undefined && !isStatus(theirs.status) && same(noStatus(ours), noStatus(theirs)),
  },
  {
    peer: 'both',
    reason: 'tags and lengths in more bytes than they need: the original takes up to ten, the peers five',
    applies: ({ theirError }) =>
      theirError instanceof Error && /^(invalid (length|tag) encoding|illegal tag: varint overflows uint32)$/.test(theirError.message),
  },
  {
    peer: 'both',
    reason: 'an arm that comes again: in the original the last one counts, the peers put both together',
    applies: ({ input, ours, theirs }) =>
      ours !== undefined &&
      theirs !== undefined &&
      delimitedFields(input) > 1 &&
      (isStatus(theirs.status) ? holdsAll(theirs, ours) : holdsAll(theirs, noStatus(ours))),
  },
];

/** ResponseStatus has the numbers 0 to 7. One that is 0 is not in a form. */
const isStatus = (status: unknown) => status === undefined || (typeof status === 'number' && status >= 0 && status < 8);
const noStatus = ({ status: _, ...form }: Form): Form => form;
const same = (a: Form, b: Form) => JSON.stringify(a) === JSON.stringify(b);

/** Whether `form` has all that `part` has, arms included, each with the same value. */
function holdsAll(form: Form, part: Form): boolean {
  return Object.entries(part).every(([name, value]) => {
    const other = form[name];
    if (typeof value !== 'object' || typeof other !== 'object') return value === other;
    return holdsAll(other as Form, value as Form);
  });
}

/** How many length-delimited fields the message has at its top. The input is one that protobufjs can read. */
function delimitedFields(input: Buffer): number {
  const reader = protobufjs.Reader.create(input);
  let count = 0;
  while (reader.pos < reader.len) {
    const wire = reader.uint32() & 7;
    if (wire === 2) count++;
    reader.skipType(wire);
  }
  return count;
}

/** The reason of a difference that is meant; undefined for any other. */
export function meant(peer: string, readings: Readings): string | undefined {
  return PEER_DIFFERENCES.find((each) => (each.peer === 'both' || each.peer === peer) && each.applies(readings))?.reason;
}
