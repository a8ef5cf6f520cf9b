import { readFileSync } from 'node:fs';
import { Command } from 'commander';

import { cannotRead } from '../core/file-faults.js';
import { formatFault, POLICY_SCHEMA, type PolicyFault, policyFaults, policyHash, readPolicy } from '../enclave/policy/index.js';
import { createCommand } from './policy/create.js';
import { warningsOf } from './policy/warnings.js';
import { print } from './standard-output.js';

/** `veracruz-streams policy` */
export function policyCommand(): Command {
  const commands = [createCommand(), checkCommand(), hashCommand(), schemaCommand()];
  // Wrong use ends in `exitWith` and its 2; by itself commander ends with 1.
  for (const command of commands) command.exitOverride().showHelpAfterError('(--help shows what is there)');
  const policy = new Command('policy')
    .description('Write, check and hash policies.')
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  veracruz-streams policy check policy.json
  veracruz-streams policy hash policy.json
  veracruz-streams policy create --help`,
    );
  for (const command of commands) policy.addCommand(command);
  return policy;
}

function checkCommand(): Command {
  return new Command('check')
    .description(
      'Say what is wrong with a policy, one fault a line, each with its key. Exits with 1 when there is a fault; warnings do not count.',
    )
    .argument('<file>', 'the policy; - is standard input')
    .option('--json', 'print faults and warnings as one line of JSON')
    .addHelpText(
      'after',
      `
Examples:
  veracruz-streams policy check policy.json
  veracruz-streams policy check --json - < policy.json`,
    )
    .action(async (path: string, { json }: { json?: boolean }) => {
      const bytes = readBytes(path);
      const hash = policyHash(bytes);
      const faults = faultsOf(bytes);
      const good = faults.length === 0;
      const warnings = good ? warningsOf(readPolicy(bytes.toString())) : [];
      const lines = good ? [`${path} is a good policy; its hash is ${hash}`] : faults.map(formatFault);
      lines.push(...warnings.map((warning) => `warning: ${warning}`));
      await print(json === true ? `${JSON.stringify({ good, hash, faults, warnings })}\n` : `${lines.join('\n')}\n`);
      if (!good) process.exitCode = 1;
    });
}

function hashCommand(): Command {
  return new Command('hash')
    .description('Print the hash of a policy: SHA-256 of the exact bytes of the file, 64 hex digits. The policy is not checked.')
    .argument('<file>', 'the policy; - is standard input')
    .option('--json', 'print it as one line of JSON')
    .addHelpText('after', '\nExample:\n  veracruz-streams policy hash policy.json')
    .action(async (path: string, { json }: { json?: boolean }) => {
      const hash = policyHash(readBytes(path));
      await print(`${json === true ? JSON.stringify({ hash }) : hash}\n`);
    });
}

function schemaCommand(): Command {
  return new Command('schema')
    .description('Print the JSON Schema of policies, for editors.')
    .addHelpText('after', '\nExample:\n  veracruz-streams policy schema > policy.schema.json')
    .action(async () => {
      await print(`${JSON.stringify(POLICY_SCHEMA, null, 2)}\n`);
    });
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path === '-' ? 0 : path);
  } catch (cause) {
    throw cannotRead(path, cause);
  }
}

/** The text travels as UTF-8: bytes that are none could not be what everybody hashes. */
function faultsOf(bytes: Buffer): readonly PolicyFault[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return [{ key: '', message: 'is no UTF-8' }];
  }
  return policyFaults(text);
}
