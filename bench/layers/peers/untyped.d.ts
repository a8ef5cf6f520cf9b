/** Peers that come without types. */
declare module 'base64-stream' {
  import type { Transform } from 'node:stream';
  export const Base64Encode: new () => Transform;
  export const Base64Decode: new () => Transform;
}

declare module 'length-prefixed-stream' {
  import type { Transform } from 'node:stream';

  const lps: { encode(): Transform; decode(): Transform };
  export default lps;
}
