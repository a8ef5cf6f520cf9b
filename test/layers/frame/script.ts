import { Announce, BOUNDARY } from '../../../lib/core/unit.js';

/** What a direction gave, so that how the bytes were cut does not show: neighbouring Buffers are joined. */
export function script(items: readonly unknown[]): string[] {
  const lines: string[] = [];
  let bytes: Buffer[] = [];
  const flush = () => {
    if (bytes.length > 0) lines.push(Buffer.concat(bytes).toString('hex'));
    bytes = [];
  };
  for (const item of items) {
    if (Buffer.isBuffer(item)) {
      bytes.push(item);
      continue;
    }
    flush();
    if (item === BOUNDARY) lines.push('boundary');
    else if (item instanceof Announce) lines.push(`announce ${item.length}`);
    else throw new Error(`neither bytes nor a mark: ${String(item)}`);
  }
  flush();
  return lines;
}
