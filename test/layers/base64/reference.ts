const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** A slow decoder written from RFC 4648 alone: the bytes of a text, or `undefined` for one that is not canonical. */
export function decodeSlowly(text: string): Buffer | undefined {
  const letters = text.replace(/={1,2}$/, '');
  const pads = text.length - letters.length;
  if (text.length % 4 !== 0 || (letters.length + pads) % 4 !== 0) return undefined;
  let bits = '';
  for (const letter of letters) {
    const value = LETTERS.indexOf(letter);
    if (value < 0) return undefined;
    bits += value.toString(2).padStart(6, '0');
  }
  const bytes = Math.floor(bits.length / 8);
  if (pads !== (3 - (bytes % 3)) % 3) return undefined;
  if (/1/.test(bits.slice(bytes * 8))) return undefined;
  return Buffer.from(Array.from({ length: bytes }, (_, i) => Number.parseInt(bits.slice(i * 8, i * 8 + 8), 2)));
}

/** A slow encoder, of the same source. */
export function encodeSlowly(bytes: Buffer): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  let text = '';
  for (let i = 0; i < bits.length; i += 6) text += LETTERS[Number.parseInt(bits.slice(i, i + 6).padEnd(6, '0'), 2)];
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}
