import { Base64Error } from '../../core/errors.js';

/** Name of the layer. */
export const BASE64 = 'base64';
/** The padding letter, `=`. */
export const PAD = 0x3d;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The letter of each value 0 to 63 (RFC 4648 §4). */
export const LETTER_OF = Uint8Array.from(LETTERS, (letter) => letter.charCodeAt(0));
/** The value of each byte that is a letter, and 255 for any other byte. */
export const VALUE_OF = new Uint8Array(256).fill(255);
LETTER_OF.forEach((letter, value) => {
  VALUE_OF[letter] = value;
});

/** The error for a byte that is no letter, or for a letter in the wrong place. */
export function badLetter(what: string, got: number, offset: number): Base64Error {
  return new Base64Error(`base64 text has ${what} at offset ${offset}`, { layer: BASE64, got, offset });
}

/**
 * Decodes one group of four letters. Slow but exact; no other code in this folder reads padding.
 *
 *     QUJD  three bytes    QUI=  two, 2 unused bits zero    QQ==  one, 4 unused bits zero
 *
 * @param offset of the group in its text, for errors
 * @returns the number of bytes written to `target`: 3, or fewer when padding ends the text
 * @throws Base64Error at the first letter that does not belong there
 */
export function decodeGroup(group: Buffer, at: number, target: Buffer, to: number, offset: number): number {
  let bits = 0;
  for (let i = 0; i < 4; i++) {
    const letter = group[at + i] as number;
    const value = VALUE_OF[letter] as number;
    if (value !== 255) {
      bits = bits * 64 + value;
      continue;
    }
    if (letter !== PAD) throw badLetter('a byte outside the alphabet', letter, offset + i);
    if (i < 2 || (i === 2 && group[at + 3] !== PAD)) throw badLetter('misplaced padding', letter, offset + i);
    const unused = i === 2 ? 4 : 2;
    if ((bits & ((1 << unused) - 1)) !== 0) throw badLetter('unused bits set', group[at + i - 1] as number, offset + i - 1);
    target.writeUIntBE(bits >> unused, to, i - 1);
    return i - 1;
  }
  target.writeUIntBE(bits, to, 3);
  return 3;
}
