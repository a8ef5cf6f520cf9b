import { Command } from 'commander';
import type { ArrangementName } from '../roles/arrangements.js';
import { RUNTIME_MANAGER_DEFAULTS, RuntimeManager } from '../roles/runtime-manager/runtime-manager.js';
import { formatAddress } from '../transports/address.js';
import { ARRANGEMENT, DIALECT, FRAME, frameOf, LOG_LEVEL, readText } from './flags.js';
import { runRole, stderrLog } from './role-process.js';

interface RuntimeFlags {
  listen: string;
  connect?: string;
  hello?: boolean;
  arrangement: ArrangementName;
  dialect?: string;
  frame?: string;
  store: string;
  certificate: string;
  key: string;
  identity: string[];
  policy: string;
  cipherSuite?: string;
  logLevel: string;
}

/** `veracruz-streams runtime` */
export function runtimeCommand(): Command {
  return new Command('runtime')
    .description('Run a Runtime Manager: keeps files for the principals of a policy.')
    .option(
      '--listen <address>',
      'where the Server connects: tcp://host:port, unix:///path, serial:///dev/hvc0',
      RUNTIME_MANAGER_DEFAULTS.listen,
    )
    .option('--connect <address>', 'where the Server listens, to connect to it instead')
    .option('--hello', 'say hello on a console when it is open')
    .addOption(ARRANGEMENT)
    .addOption(DIALECT)
    .addOption(FRAME)
    .requiredOption('--store <folder>', 'the folder that files live in')
    .requiredOption('--certificate <file>', 'its certificate chain, PEM, its own first')
    .requiredOption('--key <file>', 'the private key of its certificate, PEM')
    .requiredOption('--identity <file...>', 'certificates of the principals, PEM')
    .requiredOption('--policy <file>', 'the policy, whose hash clients ask for')
    .option('--cipher-suite <name>', 'the one TLS 1.3 suite, e.g. TLS1_3_CHACHA20_POLY1305_SHA256')
    .addOption(LOG_LEVEL)
    .addHelpText(
      'after',
      `
Examples:
  veracruz-streams runtime --store ./files --certificate rm.pem --key rm.key --identity alice.pem --policy policy.json
  veracruz-streams runtime --listen serial:///dev/hvc0 --arrangement icecap --store /files …`,
    )
    .action(async (flags: RuntimeFlags) => {
      const manager = await RuntimeManager.start({
        listen: flags.listen,
        ...(flags.connect === undefined ? {} : { connect: flags.connect }),
        hello: flags.hello === true,
        ...frameOf(flags),
        store: flags.store,
        certificate: readText(flags.certificate),
        key: readText(flags.key),
        identities: flags.identity.map(readText),
        policy: readText(flags.policy),
        ...(flags.cipherSuite === undefined ? {} : { cipherSuite: flags.cipherSuite }),
        log: stderrLog(flags.logLevel),
      });
      await runRole(manager, formatAddress(manager.address));
    });
}
