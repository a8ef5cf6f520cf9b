/** The Server of the faults. Its deadlines are short, so that a round need not wait for minutes. */
import { VeracruzServer } from 'veracruz-streams';
import { serveCommands } from '../../../harness/serve-commands.js';

export interface ServerTask {
  readonly runtime: string;
  readonly policy: string;
  /** Milliseconds of each of its deadlines. */
  readonly deadlineMs: number;
}

serveCommands({
  listen: async ({ runtime, policy, deadlineMs }: ServerTask): Promise<string> => {
    const server = await VeracruzServer.start({
      listen: 'tcp://127.0.0.1:0',
      runtime,
      policy,
      maxSilenceMs: deadlineMs,
      attestationTimeoutMs: deadlineMs,
      idleTimeoutMs: deadlineMs,
      maxSessionsPerAddress: 0,
      maxMissesPerSecond: 0,
    });
    return server.url;
  },
  alive: () => true,
});
