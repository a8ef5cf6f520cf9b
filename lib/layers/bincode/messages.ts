/** The messages between the Server and the Runtime Manager, and their numbers in each dialect (wire spec §D). */
import { InvalidArgumentError } from '../../core/errors.js';
import { DIALECTS, type Dialect } from '../formats/dialect.js';
import type { Bytes, Slices } from './slices.js';

/** How an operation went. On the wire a u32: the position in `STATUSES`. */
export type Status = 'Success' | 'Fail' | 'Unimplemented';
export const STATUSES: readonly Status[] = Object.freeze(['Success', 'Fail', 'Unimplemented']);

/** What the Server asks the Runtime Manager. `B` is how byte vectors are held: in received ones always as `Slices`. */
export type Request<B = Slices> =
  /** Make a key, a CSR and a token over `challenge`. `deviceId`: an i32 in 2207, a UUID (`8-4-4-4-12` hex digits) in head. */
  | { readonly kind: 'Attestation'; readonly challenge: B; readonly deviceId: number | string }
  | { readonly kind: 'CloseTlsSession'; readonly session: number }
  /** Give what TLS has to say to the client. */
  | { readonly kind: 'GetTlsData'; readonly session: number }
  /** Is there anything to get? Not in head. */
  | { readonly kind: 'GetTlsDataNeeded'; readonly session: number }
  /**
   * The exact text of the policy, and the certificates issued for the enclave. In 2207 `chain` has one item a
   * certificate (leaf DER, root DER); in head it has exactly one item, the bytes of the whole chain.
   */
  | { readonly kind: 'Initialize'; readonly policy: string; readonly chain: readonly B[] }
  | { readonly kind: 'NewTlsSession' }
  /** Not in head. */
  | { readonly kind: 'ResetEnclave' }
  /** Ciphertext of the client. */
  | { readonly kind: 'SendTlsData'; readonly session: number; readonly data: B };

/** What the Runtime Manager answers. `B` as in `Request`. */
export type Response<B = Slices> =
  /** `token` is the attestation token, with `csr` beside it; in 2207-nitro it is the Nitro document, and there is no `csr`. */
  | { readonly kind: 'AttestationData'; readonly token: B; readonly csr?: B }
  | { readonly kind: 'Status'; readonly status: Status }
  /** Ciphertext for the client; `active` is false once the enclave has shut down. */
  | { readonly kind: 'TlsData'; readonly data: B; readonly active: boolean }
  /** Not in head. */
  | { readonly kind: 'TlsDataNeeded'; readonly needed: boolean }
  /** The id of a new session, a u32. */
  | { readonly kind: 'TlsSession'; readonly session: number };

export type RequestKind = Request['kind'];
export type ResponseKind = Response['kind'];

/** Which of the two a side sends or receives. */
export type Side = 'request' | 'response';
/** The messages of one side, with their byte vectors held as `B`. */
export type Message<S extends Side, B = Slices> = S extends 'request' ? Request<B> : Response<B>;
/** What a layer with `sends: S` takes. */
export type Sent<S extends Side> = Message<S, Bytes>;
/** What a layer with `receives: R` gives. */
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

/** The kinds of each dialect; a kind's position is its number on the wire. */
export const REQUEST_KINDS: Readonly<Record<Dialect, readonly RequestKind[]>> = Object.freeze({
  '2207': REQUESTS_2207,
  '2207-nitro': REQUESTS_2207,
  head: REQUESTS_HEAD,
});
/** As `REQUEST_KINDS`. */
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
