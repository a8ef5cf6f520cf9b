import { setFlagsFromString } from 'node:v8';

/** The first V8 that counts calls, not bytecode, and has a quick compiler besides the thorough one: that of Node 22. */
const V8_WITH_MAGLEV = 12;

/**
 * What whoever starts a process for one role gives Node, because these can only be set at the start: 20 MB less memory in a
 * transfer, as fast. The young generation stays at 16 MB, not 32; and one helper thread is enough where the roles have the
 * cores at work, while each further one keeps some MB for itself.
 */
export const ROLE_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=8', '--v8-pool-size=1'];

/**
 * Settings of V8 for a process that is one role and nothing else.
 *
 * What passes through a role is buffers, which live outside V8's heap but count towards its limit. The heap of a role is
 * small (10 MB), so its limit is too: V8 marks and sweeps all of it once for every 8 MB that pass, which is half of the
 * processor time of a transfer. Four times the heap, not twice it, before the next collection: a few tens of MB more
 * memory, half the processor time.
 *
 * A role runs the same few hundred functions for each request, each for a moment. The V8 of Node 20 compiles a function for
 * speed when it has run 66 KB of bytecode, which takes thousands of requests; after half of that a role is warm sooner.
 */
export function tuneV8(): void {
  setFlagsFromString('--heap-growing-percent=300');
  if (Number.parseInt(process.versions.v8, 10) < V8_WITH_MAGLEV) setFlagsFromString('--interrupt-budget=30000');
}
