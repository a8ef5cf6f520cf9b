/** The memory that a module asks for, as its bytes say it. */
export interface ModuleMemory {
  /** Memories that it has of its own. */
  readonly count: number;
  /** All of them are plain: 32 bits, not shared. */
  readonly plain: boolean;
  /** Pages of 64 KiB that they have together at the beginning. */
  readonly pages: number;
}

const HEADER_BYTES = 8;
const MEMORY_SECTION = 5;
const HAS_MAXIMUM = 1;

/**
 * Reads the memory sections of a module, because V8's own limit holds for each memory and newer versions of it take
 * several. What is malformed is passed over: the compiler will say so.
 */
export function memoryOf(module: Buffer): ModuleMemory {
  const found = { count: 0, plain: true, pages: 0 };
  for (let at = HEADER_BYTES; at < module.length; ) {
    const size = leb(module, at + 1);
    if (size === undefined) break;
    if (module[at] === MEMORY_SECTION) readSection(module.subarray(size.end, size.end + size.value), found);
    at = size.end + size.value;
  }
  return found;
}

function readSection(section: Buffer, found: { count: number; plain: boolean; pages: number }): void {
  const count = leb(section, 0);
  found.count += count?.value ?? 0;
  let at = count?.end ?? 0;
  // One is all that is let pass: the limits of a second need no reading.
  const flags = section[at++] ?? 0;
  if (flags & ~HAS_MAXIMUM) found.plain = false;
  found.pages += leb(section, at)?.value ?? 0;
}

/** An unsigned LEB128 number and where it ends; undefined when it does not, or is no u32. */
function leb(bytes: Buffer, start: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: start + i + 1 };
  }
  return undefined;
}
