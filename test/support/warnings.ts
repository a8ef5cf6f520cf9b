/** Warnings of the test's own process: a leak of listeners, or a timer out of range, is no more than a line on standard error. */
import type { Test } from 'tap';

/** Which are there depends on the version of Node, and not on us. */
const OF_NODE: ReadonlySet<string> = new Set(['DeprecationWarning', 'ExperimentalWarning']);

const seen: string[] = [];
process.on('warning', ({ name, message, stack }) => {
  if (!OF_NODE.has(name)) seen.push(stack ?? `${name}: ${message}`);
});

/** The last test of a file: there was no warning since this module was loaded. */
export async function noWarnings(t: Test): Promise<void> {
  // A warning is told in a later turn than the one in which it comes about.
  await new Promise((resolve) => setImmediate(resolve));
  t.same(seen, []);
}
