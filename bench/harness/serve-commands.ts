/** The child's side of a part: a process that does what its parent commands over IPC, one command after the other. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { tuneV8 } from '../../lib/cli/tune-v8.js';
import { type Profile, Sampler } from './sampler.js';

/** What a part can do, by name. The argument and the answer go through IPC as JSON. */
export type Commands = Readonly<Record<string, (argument: never) => unknown>>;

export interface Command {
  readonly id: number;
  readonly command: string;
  readonly argument: unknown;
}

export type Answer = { readonly id: number } & ({ readonly result: unknown } | { readonly fault: string });

/** Commands that every part knows. */
function ownCommands(): Commands {
  const sampler = new Sampler();
  return {
    collect: collectGarbage,
    startProfile: (intervalUs: number): Promise<void> => sampler.start(intervalUs),
    stopProfile: (path: string): Promise<Profile> => sampler.stop(path),
  };
}

/** Afterwards the process's memory says what it holds, and not what V8 has yet to collect. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** Serves `commands` until the parent is gone. Every part, a peer's too, has the V8 settings of our command line. */
export function serveCommands(commands: Commands): void {
  tuneV8();
  const all: Commands = { ...ownCommands(), ...commands };
  process.on('disconnect', () => process.exit(0));
  process.on('message', ({ id, command, argument }: Command) => {
    const act = async () => {
      const action = all[command];
      if (action === undefined) throw new Error(`no such command: ${command}`);
      return action(argument as never);
    };
    act().then(
      (result) => answer({ id, result }),
      (fault: Error) => answer({ id, fault: fault.stack ?? String(fault) }),
    );
  });
}

/** A parent that has gone in the meantime is no fault. */
function answer(message: Answer): void {
  process.send?.(message, undefined, undefined, () => {});
}
