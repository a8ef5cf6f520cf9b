/** The demo's computation: the entries that two lists have in common. The parties learn nothing else about the other list. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** File names at the manager. `programs/intersection.wat` describes their contents. */
export const PROGRAM = '/program/intersection.wasm';
export const INPUTS = Object.freeze({ alice: '/first/list', bob: '/second/list' });
export const OUTPUT = '/output/common';
/** The rights of the program itself. */
export const PROGRAM_RIGHTS = '/first/:r,/second/:r,/output/:w';

/** The program's file, which `npm run build` makes. */
const MODULE = fileURLToPath(new URL('./programs/intersection.wasm', import.meta.url));
/** Number of possible entries. Alice has every second one, Bob every third. */
const ENTRIES = 3000;

export interface Computation {
  readonly module: Buffer;
  /** The list of each client: one entry in each line, sorted. */
  readonly lists: { readonly alice: Buffer; readonly bob: Buffer };
  /** The right result, computed without the program. */
  readonly expected: Buffer;
}

export async function computation(): Promise<Computation> {
  const [alice, bob] = [entries(2), entries(3)];
  const ofBob = new Set(bob);
  const common = alice.filter((entry) => ofBob.has(entry));
  return { module: await readFile(MODULE), lists: { alice: lines(alice), bob: lines(bob) }, expected: lines(common) };
}

/** Number of entries in a list. */
export function countOf(list: Uint8Array): number {
  return list.filter((byte) => byte === 0x0a).length;
}

function entries(step: number): string[] {
  return Array.from({ length: ENTRIES / step }, (_, i) => `patient-${String(i * step).padStart(8, '0')}`);
}

function lines(list: readonly string[]): Buffer {
  return Buffer.from(list.map((entry) => `${entry}\n`).join(''));
}
