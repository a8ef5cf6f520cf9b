/** Contents that say what they are: 16 characters with number and length, then bytes that follow from both. */

/** Bytes of the least content. */
export const LEAST_BYTES = 16;

const HEAD = /^<([0-9a-f]{6}) ([0-9a-f]{7})>$/;

/** The bytes of a change. Each call gives the same. */
export function contentOf(id: number, bytes: number): Buffer {
  const content = Buffer.allocUnsafe(bytes);
  content.write(`<${id.toString(16).padStart(6, '0')} ${bytes.toString(16).padStart(7, '0')}>`, 'latin1');
  let state = (id * 2654435761 + bytes) >>> 0;
  for (let at = LEAST_BYTES; at < bytes; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    content[at] = state >>> 24;
  }
  return content;
}

/** The numbers of the changes whose bytes follow one another; a text that says what is wrong with them. */
export function piecesOf(content: Buffer): number[] | string {
  const ids: number[] = [];
  for (let at = 0; at < content.length; ) {
    const [, id, bytes] = HEAD.exec(content.toString('latin1', at, at + LEAST_BYTES)) ?? [];
    if (id === undefined || bytes === undefined) return `at ${at} of ${content.length} no content begins`;
    ids.push(Number.parseInt(id, 16));
    at += Math.max(LEAST_BYTES, Number.parseInt(bytes, 16));
  }
  return ids;
}
