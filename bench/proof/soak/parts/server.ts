/** The Server of the soak. */
import { VeracruzServer } from 'veracruz-streams';
import { serveCommands } from '../../../harness/serve-commands.js';
import { leftovers } from '../leftovers.js';

let server: VeracruzServer;

serveCommands({
  listen: async ({ runtime }: { runtime: string }): Promise<string> => {
    server = await VeracruzServer.start({ listen: 'tcp://127.0.0.1:0', runtime, maxSessionsPerAddress: 0 });
    return server.url;
  },
  leftovers: () => leftovers({ sessions: server.sessions, managers: server.managers.length }),
});
