/** What a ClientHello says (RFC 8446 §4.1.2), as far as the cases ask. */
import { CaseFailed, shown } from '../case.js';

export interface ClientHello {
  /** Code points, in their order. */
  readonly suites: readonly number[];
  /** Of the extension supported_versions: 0x0304 is TLS 1.3. */
  readonly versions: readonly number[];
  /** Numbers of all extensions. */
  readonly extensions: readonly number[];
}

export const EXTENSIONS = Object.freeze({ serverName: 0, preSharedKey: 41, earlyData: 42, supportedVersions: 43 });
export const TLS_1_3 = 0x0304;

/** Code points of the suites of TLS 1.3. */
export const SUITES: Readonly<Record<string, number>> = Object.freeze({
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  TLS_AES_128_CCM_SHA256: 0x1304,
  TLS_AES_128_CCM_8_SHA256: 0x1305,
});
/** TLS_EMPTY_RENEGOTIATION_INFO_SCSV is a signal and no suite. */
const SIGNAL = 0x00ff;

/** Reads the first record of a client. @throws CaseFailed when it is no ClientHello */
export function readHello(bytes: Buffer): ClientHello {
  try {
    return read(bytes);
  } catch {
    throw new CaseFailed(`no ClientHello: ${shown(bytes)}`);
  }
}

function read(bytes: Buffer): ClientHello {
  if (bytes[0] !== 22 || bytes[5] !== 1) throw new RangeError('another record');
  // Record header, handshake header, version, random; then a session id.
  let at = 5 + 4 + 2 + 32;
  at += 1 + bytes.readUInt8(at);
  const suites = numbers(bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at)));
  at += 2 + bytes.readUInt16BE(at);
  at += 1 + bytes.readUInt8(at);
  const end = at + 2 + bytes.readUInt16BE(at);
  const found = new Map<number, Buffer>();
  for (at += 2; at < end; at += 4 + bytes.readUInt16BE(at + 2)) {
    found.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + bytes.readUInt16BE(at + 2)));
  }
  return {
    suites: suites.filter((suite) => suite !== SIGNAL),
    versions: numbers(found.get(EXTENSIONS.supportedVersions)?.subarray(1) ?? Buffer.alloc(0)),
    extensions: [...found.keys()],
  };
}

function numbers(bytes: Buffer): number[] {
  return Array.from({ length: Math.floor(bytes.length / 2) }, (_, i) => bytes.readUInt16BE(2 * i));
}
