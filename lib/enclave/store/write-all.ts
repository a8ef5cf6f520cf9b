import type { FileHandle } from 'node:fs/promises';

/**
 * Writes all of `chunks` to `file`, from `position` on. It takes one system call, unless the system writes fewer bytes than
 * it is given, as with a nearly full disk or more than 2 GiB at once.
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

/** `chunks` without their first `count` bytes. */
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
