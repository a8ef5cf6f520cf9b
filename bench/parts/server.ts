/** The Veracruz Server, a process of its own. */
import { VeracruzServer } from 'veracruz-streams';
import { serveCommands } from '../harness/serve-commands.js';

serveCommands({
  /** Gives its URL. */
  listen: async ({ runtime }: { runtime: string }): Promise<string> =>
    (await VeracruzServer.start({ listen: 'tcp://127.0.0.1:0', runtime, maxSessionsPerAddress: 0 })).url,
});
