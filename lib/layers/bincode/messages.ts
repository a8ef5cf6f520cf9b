/** The messages between the Server and the Runtime Manager, and their numbers in each dialect (wire spec §D). */
import { InvalidArgumentError } from '../../core/errors.js';
import { DIALECTS, type Dialect } from '../formats/dialect.js';
import type { Bytes, Slices } from './slices.js';

/** The outcome of an operation. On the wire it is a u32, its index in `STATUSES`. */
export type Status = 'Success' | 'Fail' | 'Unimplemented';
/** Every outcome, in the order of its number on the wire. */
export const STATUSES: readonly Status[] = Object.freeze(['Success', 'Fail', 'Unimplemented']);

/** What the Server asks the Runtime Manager. `B` is the type of byte vectors; in received requests it is always `Slices`. */
export type Request<B = Slices> =
  /** Asks for a key, a CSR and a token over `challenge`. `deviceId`: an i32 in 2207, a UUID (`8-4-4-4-12` hex digits) in head. */
  | { readonly kind: 'Attestation'; readonly challenge: B; readonly deviceId: number | string }
  | { readonly kind: 'CloseTlsSession'; readonly session: number }
  /** Asks for the ciphertext that TLS has for the client. */
  | { readonly kind: 'GetTlsData'; readonly session: number }
  /** Asks whether `GetTlsData` would give anything. Not in head. */
  | { readonly kind: 'GetTlsDataNeeded'; readonly session: number }
  /**
   * Brings the exact text of the policy, and the certificates issued for the enclave. In 2207 `chain` has one item a
   * certificate (leaf DER, root DER); in head it has exactly one item, the bytes of the whole chain.
   */
  | { readonly kind: 'Initialize'; readonly policy: string; readonly chain: readonly B[] }
  | { readonly kind: 'NewTlsSession' }
  /** Not in head. */
  | { readonly kind: 'ResetEnclave' }
  /** Brings ciphertext of the client. */
  | { readonly kind: 'SendTlsData'; readonly session: number; readonly data: B };

/** What the Runtime Manager answers. `B` is the type of byte vectors; in received answers it is always `Slices`. */
export type Response<B = Slices> =
  /** `token` is the attestation token, `csr` the CSR. In 2207-nitro `token` is the Nitro document and `csr` is missing. */
  | { readonly kind: 'AttestationData'; readonly token: B; readonly csr?: B }
  | { readonly kind: 'Status'; readonly status: Status }
  /** Ciphertext for the client; `active` is false once the enclave has shut down. */
  | { readonly kind: 'TlsData'; readonly data: B; readonly active: boolean }
  /** Not in head. */
  | { readonly kind: 'TlsDataNeeded'; readonly needed: boolean }
  /** The id of a new session, a u32. */
  | { readonly kind: 'TlsSession'; readonly session: number };

/** The name of a request. */
export type RequestKind = Request['kind'];
/** The name of a response. */
export type ResponseKind = Response['kind'];

/** The two directions of the protocol: the Server sends requests, the Runtime Manager sends responses. */
export type Side = 'request' | 'response';
/** The messages of one side, with byte vectors of type `B`. */
export type Message<S extends Side, B = Slices> = S extends 'request' ? Request<B> : Response<B>;
/** The messages that a layer with `sends: S` takes. */
export type Sent<S extends Side> = Message<S, Bytes>;
/** The messages that a layer with `receives: R` gives. */
export type Received<R extends Side> = Message<R>;

const REQUESTS_2207: readonly RequestKind[] = Object.freeze([
  'Attestation', // 0
  'CloseTlsSession', // 1
  'GetTlsData', // 2
  'GetTlsDataNeeded', // 3
  'Initialize', // 4
  'NewTlsSession', // 5
  'ResetEnclave', // 6
  'SendTlsData', // 7
]);

const REQUESTS_HEAD: readonly RequestKind[] = Object.freeze([
  'Attestation', // 0
  'CloseTlsSession', // 1
  'GetTlsData', // 2
  'Initialize', // 3
  'NewTlsSession', // 4
  'SendTlsData', // 5
]);

const RESPONSES_2207: readonly ResponseKind[] = Object.freeze([
  'AttestationData', // 0
  'Status', // 1
  'TlsData', // 2
  'TlsDataNeeded', // 3
  'TlsSession', // 4
]);

const RESPONSES_HEAD: readonly ResponseKind[] = Object.freeze([
  'AttestationData', // 0
  'Status', // 1
  'TlsData', // 2
  'TlsSession', // 3
]);

/** The kinds of each dialect. The index of a kind is its number on the wire. */
export const REQUEST_KINDS: Readonly<Record<Dialect, readonly RequestKind[]>> = Object.freeze({
  '2207': REQUESTS_2207,
  '2207-nitro': REQUESTS_2207,
  head: REQUESTS_HEAD,
});
/** The kinds of each dialect, as in `REQUEST_KINDS`. */
export const RESPONSE_KINDS: Readonly<Record<Dialect, readonly ResponseKind[]>> = Object.freeze({
  '2207': RESPONSES_2207,
  '2207-nitro': RESPONSES_2207,
  head: RESPONSES_HEAD,
});

/** The kinds that `dialect` has. Throws `InvalidArgumentError` for a dialect that does not exist. */
export function kindsOf<K>(table: Readonly<Record<Dialect, readonly K[]>>, dialect: Dialect): readonly K[] {
  if (Object.hasOwn(table, dialect)) return table[dialect];
  throw new InvalidArgumentError(`no bincode dialect ${dialect}`, { layer: 'bincode', expected: DIALECTS.join('|'), got: dialect });
}

/** The number of `kind` in `dialect`. Throws `InvalidArgumentError` when the dialect lacks it. */
export function variantOf<K>(table: Readonly<Record<Dialect, readonly K[]>>, dialect: Dialect, kind: K): number {
  const kinds = kindsOf(table, dialect);
  const variant = kinds.indexOf(kind);
  if (variant >= 0) return variant;
  throw new InvalidArgumentError(`dialect ${dialect} has no ${String(kind)} here`, {
    layer: 'bincode',
    expected: kinds.join('|'),
    got: String(kind),
  });
}
