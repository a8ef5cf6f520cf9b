import { Command } from 'commander';
import { SERVER_DEFAULTS, VeracruzServer } from '../roles/server/server.js';
import { runRole, stderrLog } from './role-process.js';
import { LOG_LEVEL } from './runtime.js';

interface ServerFlags {
  listen: string;
  runtime: string;
  maxBodyBytes: string;
  idleTimeoutMs: string;
  logLevel: string;
}

/** `veracruz-streams server` */
export function serverCommand(): Command {
  return new Command('server')
    .description('Run a Veracruz Server: relays ciphertext between clients and a Runtime Manager.')
    .option('--listen <address>', 'where clients connect', SERVER_DEFAULTS.listen)
    .option('--runtime <address>', 'where the Runtime Manager listens', SERVER_DEFAULTS.runtime)
    .option('--max-body-bytes <n>', 'bytes that a POST may have', String(SERVER_DEFAULTS.maxBodyBytes))
    .option('--idle-timeout-ms <n>', 'milliseconds after which an idle session is closed; 0 never', String(SERVER_DEFAULTS.idleTimeoutMs))
    .addOption(LOG_LEVEL)
    .addHelpText('after', '\nExample:\n  veracruz-streams server --listen tcp://0.0.0.0:3011 --runtime tcp://127.0.0.1:6000')
    .action(async (flags: ServerFlags) => {
      const server = await VeracruzServer.start({
        listen: flags.listen,
        runtime: flags.runtime,
        maxBodyBytes: Number(flags.maxBodyBytes),
        idleTimeoutMs: Number(flags.idleTimeoutMs),
        log: stderrLog(flags.logLevel),
      });
      await runRole(server, server.url);
    });
}
