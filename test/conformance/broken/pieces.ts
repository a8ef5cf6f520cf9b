/** Flaws of what reads HTTP: requests that do not come whole. */
import type { Flaws } from './frames.js';

const NOTHING = Buffer.alloc(0);

/** A request that is all there. */
function isWholeRequest(piece: Buffer): boolean {
  const end = piece.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /content-length: (\d+)/i.exec(piece.toString('latin1', 0, end))?.[1] ?? '0';
  return piece.length >= end + 4 + Number(length);
}

/** Serves nobody any more when a connection has ended inside a request. */
export function endsInsideRequests(): Flaws {
  let whole = true;
  return {
    piece: (piece) => {
      whole = isWholeRequest(piece);
      return piece;
    },
    dies: () => !whole,
  };
}

/** Loses a request whose body does not come with its head. */
export const readsBodiesWithHeads = (): Flaws => ({
  piece: (piece) => (piece.includes('POST ') && !isWholeRequest(piece) ? NOTHING : piece),
});
