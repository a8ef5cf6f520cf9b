/** The shapes of the golden vectors, as their JSON has them. `fixtures/wire/README.md` explains them in words. */

/** `veracruz-2207` is the release of July 2022, `-nitro` the same on AWS Nitro, `veracruz-head` the later development line. */
export type VectorDialect = 'veracruz-2207' | 'veracruz-2207-nitro' | 'veracruz-head';

/** Bytes inside a `value`: in hexadecimal, or by a rule `i*A+B` (byte number i, from 0, is `(i*A+B) mod 256`). */
export type VectorBytes = { hex: string } | { rule: string; length: number };

/** A text inside a `value`, long ones as a repetition. */
export type VectorText = string | { repeat: string; times: number };

/** The bytes on the wire: in hexadecimal, or of more than 4096 bytes the SHA-256 and 64 bytes at each end, in hexadecimal. */
export type VectorWire = { hex: string } | { length: number; sha256: string; head: string; tail: string };

/** A protobuf message (wire spec §A). `oneof` names the arm that is set; `fields` has every field of it, defaults too. */
export interface EnvelopeValue {
  type: 'RuntimeManagerRequest' | 'RuntimeManagerResponse' | 'ProxyAttestationServerRequest' | 'ProxyAttestationServerResponse';
  /** Of a RuntimeManagerResponse alone: the name of its status. */
  status?: string;
  context: number;
  oneof: string | null;
  fields?: Record<string, number | VectorText | VectorBytes>;
}

/** An argument of a bincode variant; `chain` of Initialize is a list of byte strings in 2207. */
export type BincodeArgument = number | boolean | VectorText | VectorBytes | { uuid: string } | VectorBytes[];

/** A message between Server and Runtime Manager (wire spec §D); arguments in the order of their declaration. */
export interface BincodeValue {
  type: 'RuntimeManagerRequest' | 'RuntimeManagerResponse';
  variant: string;
  args: BincodeArgument[];
}

/** bincode messages, each in its frame, one after another (wire spec §D). */
export interface FramesValue {
  header: 'tcp9' | 'icecap4';
  payloads: BincodeValue[];
}

/** An HTTP body (wire spec §C): one text of a request, any number of an answer. An empty answer has no session. */
export type SessionValue =
  | { kind: 'request'; session_id: number; data: VectorBytes }
  | { kind: 'response'; session_id: number | null; items: VectorBytes[] };

/** What a `value` is in each layer; of bincode, a text is a `Status` outside of any message. */
export interface VectorValues {
  bincode: BincodeValue | string;
  protobuf: EnvelopeValue;
  prefix: EnvelopeValue;
  frame: FramesValue;
  session: SessionValue;
}

/** The layer that a vector is of. */
export type WireLayer = keyof VectorValues;

/** A value and its bytes; each leads to the other. The name is unique in its file. */
export interface VectorOf<L extends WireLayer> {
  name: string;
  dialect: VectorDialect;
  layer: L;
  value: VectorValues[L];
  wire: VectorWire;
  /** What is odd about it. Of a session: reading the bytes back does not give the same value. */
  note?: string;
}

/** One golden vector: a value, and its bytes. */
export type Vector = { [L in WireLayer]: VectorOf<L> }[WireLayer];

/** `incomplete`: nothing is wrong so far, and more bytes are needed. */
export type VectorOutcome = 'error' | 'accept' | 'incomplete';

/** Whole payloads that were found in broken or unfinished frames, and the bytes that are left over. */
export interface FramesRead {
  header: 'tcp9' | 'icecap4';
  raw_payloads: VectorBytes[];
  bytes_left: number;
}

interface NegativeOf<L extends WireLayer> {
  name: string;
  dialect: VectorDialect;
  layer: L;
  /** What to read it as: the type of a message, the kind of a header, `request` or `response`. */
  target: string;
  expect: VectorOutcome;
  /** The reference's error, for information only. */
  error?: string;
  /** What was read, if it was accepted. */
  value?: L extends 'frame' ? FramesRead : VectorValues[L];
  /** The canonical bytes of what was read, where they differ from the input. */
  reencoded?: { hex: string };
  /** True where the outcome is a habit of the reference, and not what a plain reading of the format asks for. */
  quirk?: boolean;
  /** What the newer version does otherwise, which the head dialect uses. */
  rust_protobuf_3_2_0?: string;
  note?: string;
}

/** One chunk given to the reassembler of a fresh session, and what came of it. */
export interface PrefixStep {
  result: VectorOutcome;
  value?: EnvelopeValue;
  error?: string;
}

type Input<L extends WireLayer> = L extends 'prefix' ? { chunks: Array<{ hex: string }>; steps: PrefixStep[] } : { wire: { hex: string } };

/** Input with the outcome that was seen at the reference. Of `prefix`: chunks, and a step for each. */
export type NegativeVector<L extends WireLayer = WireLayer> = { [K in L]: NegativeOf<K> & Input<K> }[L];
