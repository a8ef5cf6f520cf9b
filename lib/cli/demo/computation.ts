/** The demo's computation: what two parties have in common, and nothing else of what they have. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Names at the manager; `programs/intersection.wat` says what is in them. */
export const PROGRAM = '/program/intersection.wasm';
export const INPUTS = Object.freeze({ alice: '/first/list', bob: '/second/list' });
export const OUTPUT = '/output/common';
/** The program's own rights. */
export const PROGRAM_RIGHTS = '/first/:r,/second/:r,/output/:w';

/** Assembled by `npm run build`. */
const MODULE = fileURLToPath(new URL('./programs/intersection.wasm', import.meta.url));
/** Entries that somebody has at all; Alice has every second one, Bob every third. */
const ENTRIES = 3000;

export interface Computation {
  readonly module: Buffer;
  /** What each brings: one entry a line, in order. */
  readonly lists: { readonly alice: Buffer; readonly bob: Buffer };
  /** What must come out, found without the program. */
  readonly expected: Buffer;
}

export async function computation(): Promise<Computation> {
  const [alice, bob] = [entries(2), entries(3)];
  const ofBob = new Set(bob);
  const common = alice.filter((entry) => ofBob.has(entry));
  return { module: await readFile(MODULE), lists: { alice: lines(alice), bob: lines(bob) }, expected: lines(common) };
}

/** How many entries a list has. */
export function countOf(list: Uint8Array): number {
  return list.filter((byte) => byte === 0x0a).length;
}

function entries(step: number): string[] {
  return Array.from({ length: ENTRIES / step }, (_, i) => `patient-${String(i * step).padStart(8, '0')}`);
}

function lines(list: readonly string[]): Buffer {
  return Buffer.from(list.map((entry) => `${entry}\n`).join(''));
}
