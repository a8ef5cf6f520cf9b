import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GUARDIAN } from './guardian.js';
import type { RunPlace, Sandbox } from './sandbox.js';
import { seccompFilter } from './seccomp.js';

/** A process to be started. */
export interface Launch extends RunPlace {
  /** Flags of Node. */
  readonly flags: readonly string[];
  /** The file of the code that is run, by its name in `code`, and what it is given. */
  readonly entry: string;
  readonly args: readonly string[];
  /** How much less urgent than this process it is, 0 to 19. */
  readonly niceness: number;
  /** As `systemLimits` gives them. */
  readonly limits: readonly string[];
}

/**
 * Starts a process under its guardian. It has no environment and nothing open but the channel; its standard streams lead
 * nowhere. What is returned is the guardian: it ends with what the process ended with, as a shell tells it (128 and the
 * number of a signal).
 */
export function launch(sandbox: Sandbox, { flags, entry, args, niceness, limits, ...place }: Launch): ChildProcess {
  const seen = sandbox.seen(place);
  const filter = sandbox.kind === 'bwrap' ? seccompFilter() : undefined;
  if (filter !== undefined) writeFileSync(join(place.folder, 'filter'), filter, { mode: 0o600 });
  const node = [seen.node, ...flags, join(seen.code, entry), ...args];
  const script = ['-c', GUARDIAN, 'guardian', place.folder, sandbox.nested ? 'nested' : 'direct', String(niceness), ...limits];
  return spawn('/bin/sh', [...script, ...sandbox.command(place), ...node], {
    env: {},
    cwd: '/',
    // Signals of a terminal go to its whole group of processes: it is for the Runtime Manager to act on them.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore', 'ipc'],
  });
}
