/** The Veracruz Server, a process of its own. */
import { type ServerOptions, VeracruzServer } from 'veracruz-streams';
import { serveCommands } from '../harness/serve-commands.js';

let server: VeracruzServer;

serveCommands({
  /** Gives its URL. Sessions of one address are not counted, unless `options` say otherwise. */
  listen: async ({ runtime, options }: { runtime: string; options?: ServerOptions }): Promise<string> => {
    server = await VeracruzServer.start({ listen: 'tcp://127.0.0.1:0', runtime, ...(options ?? { maxSessionsPerAddress: 0 }) });
    return server.url;
  },
  sessions: (): number => server.sessions,
});
