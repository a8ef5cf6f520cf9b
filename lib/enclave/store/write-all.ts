import type { FileHandle } from 'node:fs/promises';

/**
 * Writes all of `chunks` to `file` from `position` on: one system call, unless the system takes less than it is given (a
 * disk that is nearly full, more than 2 GiB at once).
 */
export async function writeAll(file: Pick<FileHandle, 'writev'>, chunks: readonly Buffer[], position: number): Promise<void> {
  let rest = chunks.filter((chunk) => chunk.length > 0);
  let offset = position;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest, offset);
    offset += bytesWritten;
    rest = after(rest, bytesWritten);
  }
}

/** What is left of `chunks` when the first `count` bytes are gone. */
function after(chunks: readonly Buffer[], count: number): Buffer[] {
  let gone = count;
  let whole = 0;
  for (const chunk of chunks) {
    if (chunk.length > gone) break;
    gone -= chunk.length;
    whole++;
  }
  const [first, ...others] = chunks.slice(whole);
  return first === undefined ? [] : [first.subarray(gone), ...others];
}
