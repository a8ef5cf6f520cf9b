import { type Level, pino } from 'pino';
import type { Log } from '../roles/options.js';
import { print } from './standard-output.js';

/** What a role's process tells its parent, over IPC, when it was started by one. */
export interface ReadyMessage {
  readonly ready: true;
  /** Where the role listens: an address, or a URL. */
  readonly at: string;
}

/** A role that runs until it is told to stop, or stops by itself. */
export interface RunningRole {
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** Structured logs on standard error. */
export function stderrLog(level: string): Log {
  const logger = pino({ level, base: null }, pino.destination({ fd: 2, sync: true }));
  return (at, event, figures) => logger[at satisfies Level](figures ?? {}, event);
}

/**
 * Says that the role is there, waits for its end, and ends the process. SIGINT and SIGTERM close it in good order, a
 * second one at once; so does the end of the parent that started it over IPC.
 */
export async function runRole(role: RunningRole, at: string): Promise<void> {
  let asked = false;
  const stop = () => {
    if (asked) process.exit(130);
    asked = true;
    void role.close();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  if (process.send === undefined) {
    await print(`listening at ${at}\n`).catch(async (error: unknown) => {
      await role.close();
      throw error;
    });
  } else {
    process.on('disconnect', stop);
    process.send({ ready: true, at } satisfies ReadyMessage);
  }
  await role.closed;
  if (process.connected) process.disconnect();
}
