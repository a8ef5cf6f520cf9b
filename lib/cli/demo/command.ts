import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { DeviceRegistry } from '../../attestation/registry/index.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { Interrupted } from '../exit.js';
import { print } from '../standard-output.js';
import { parseSize } from './generated.js';
import { Processes } from './processes.js';
import { type DemoReport, exitCodeOf, formatReport } from './report.js';
import { run, type Source } from './run.js';

interface DemoFlags {
  size?: string;
  json?: boolean;
}

/** `veracruz-streams demo`, which is `npm run demo`. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('Run all roles, in five processes on loopback: attested, computing, and sending a file through the whole stack and back.')
    .argument('[file]', 'the file to send; default: the node binary that runs this')
    .option('--size <n>', 'send a generated file of this size instead, e.g. 100M or 2G')
    .option('--json', 'print the report as one line of JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  veracruz-streams demo\n  veracruz-streams demo ./data.bin\n  veracruz-streams demo --size 2G --json',
    )
    .action(async (file: string | undefined, flags: DemoFlags) => {
      const source = sourceOf(file, flags.size);
      // One of the five processes would miss it when the others are there.
      await DeviceRegistry.check({ memory: true });
      const report = await demo(source, flags.json === true);
      await print(`${flags.json === true ? JSON.stringify(report) : formatReport(report)}\n`);
      process.exitCode = exitCodeOf(report);
    });
}

function sourceOf(file: string | undefined, size: string | undefined): Source {
  if (size !== undefined) {
    if (file !== undefined) throw new InvalidArgumentError('give a file or --size, not both');
    const bytes = parseSize(size);
    if (bytes === undefined) throw new InvalidArgumentError(`--size takes bytes like 100M or 2G, got ${size}`);
    return { label: `generated ${size}`, path: undefined, size: bytes };
  }
  const path = file ?? process.execPath;
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile()) throw new InvalidArgumentError(`no such file: ${path}`);
  return { label: path, path, size: found.size };
}

/** Runs the demo. In any case, it leaves no process and no temporary file behind. */
async function demo(source: Source, quiet: boolean): Promise<DemoReport> {
  const folder = mkdtempSync(join(tmpdir(), 'veracruz-streams-demo-'));
  const processes = new Processes();
  const interrupted = new Promise<never>((_, reject) => {
    const interrupt = () => reject(new Interrupted());
    process.once('SIGINT', interrupt);
    process.once('SIGTERM', interrupt);
  });
  try {
    const running = run(source, folder, processes, quiet);
    // If another promise of the race settles first, a later failure of the run must not count as unhandled.
    running.catch(() => {});
    return await Promise.race([interrupted, processes.died, running]);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    process.exitCode = 130;
    process.stderr.write('\ninterrupted\n');
    await processes.end({ interrupted: true });
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  } finally {
    await processes.end();
    rmSync(folder, { recursive: true, force: true });
  }
}
