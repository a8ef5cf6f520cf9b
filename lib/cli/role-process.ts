import { type Level, pino } from 'pino';
import type { Log } from '../roles/options.js';
import { withoutCoreDumps } from './core-dumps.js';
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
 * Starts a role, says that it is there, waits for its end, and ends the process. SIGINT and SIGTERM end it in good order,
 * also while it is being started, and a second one at once; so does the end of the parent that started it over IPC. SIGHUP
 * does nothing, because there is nothing that a role reads again: it may come from a terminal that is closed. The process
 * leaves no core dump from here on.
 *
 * @param start gives the role; `signal` closes it, or ends its start
 * @param at where the role listens, for people and for the parent
 */
export async function runRole<R extends RunningRole>(start: (signal: AbortSignal) => Promise<R>, at: (role: R) => string, log: Log) {
  const end = new AbortController();
  const stop = () => {
    if (end.signal.aborted) process.exit(130);
    end.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', () => log('info', 'SIGHUP ignored', { reason: 'a role reads nothing again' }));
  if (process.send !== undefined) process.on('disconnect', stop);
  await withoutCoreDumps(log);
  let role: R;
  try {
    role = await start(end.signal);
  } catch (error) {
    if (!end.signal.aborted) throw error;
    log('info', 'ended before it was there');
    process.exit(0);
  }
  if (process.send === undefined) {
    await print(`listening at ${at(role)}\n`).catch(async (error: unknown) => {
      await role.close();
      throw error;
    });
  } else {
    process.send({ ready: true, at: at(role) } satisfies ReadyMessage);
  }
  await role.closed;
  if (process.connected) process.disconnect();
}
