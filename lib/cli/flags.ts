/** Flags that several commands have. */
import { readFileSync, statSync } from 'node:fs';
import { Option } from 'commander';
import { InvalidArgumentError, InvalidOptionError } from '../core/errors.js';
import { cannotRead } from '../core/file-faults.js';
import { DIALECTS, type Dialect } from '../layers/formats/dialect.js';
import { FRAME_KINDS, type FrameKind } from '../layers/frame/index.js';
import { ARRANGEMENTS, type Arrangement, type ArrangementName } from '../roles/arrangements.js';

export function logLevel(preset: string): Option {
  return new Option('--log-level <level>', 'what to log on standard error, as JSON lines')
    .choices(['silent', 'error', 'warn', 'info', 'debug'])
    .default(preset);
}

export const LOG_LEVEL = logLevel('info');

export const ARRANGEMENT = new Option('--arrangement <name>', 'how Server and Runtime Manager are joined: sets dialect, frame and retries')
  .choices(Object.keys(ARRANGEMENTS))
  .default('linux');

export const DIALECT = new Option('--dialect <name>', 'what they speak; default: that of the arrangement').choices([...DIALECTS]);

export const FRAME = new Option('--frame <kind>', 'how messages are framed; default: that of the arrangement').choices([...FRAME_KINDS]);

interface LinkFlags {
  readonly arrangement: ArrangementName;
  readonly dialect?: string;
  readonly frame?: string;
}

/** What the flags say of a link. */
export function linkOf({ arrangement, dialect, frame }: LinkFlags): Arrangement {
  const preset = ARRANGEMENTS[arrangement];
  return { ...preset, ...(dialect && { dialect: dialect as Dialect }), ...(frame && { frame: frame as FrameKind }) };
}

/** The same without the retries, for the manager's end. On a console the frame is the console's own unless it is said. */
export function frameOf(flags: LinkFlags): { dialect: Dialect; frame?: FrameKind } {
  const { dialect, frame } = linkOf(flags);
  return { dialect, ...((flags.frame !== undefined || flags.arrangement !== 'linux') && { frame }) };
}

const HOST_AND_PORT = /^(?:\[[^\]]+\]|[^:/[\]]+):\d{1,5}$/;

/** The address that a flag names. `host:port` alone is one of TCP, or a URL of HTTP where `scheme` says so. */
export function addressOf<T extends string | undefined>(text: T, scheme: 'tcp' | 'http' = 'tcp'): T | string {
  return text !== undefined && HOST_AND_PORT.test(text) ? `${scheme}://${text}` : text;
}

/** What is said by a flag, or without one by an argument, as the original's programs have it. Not by both. */
export function oneOf(flag: string, value: string | undefined, argument: string | undefined): string | undefined {
  if (value === undefined || argument === undefined) return value ?? argument;
  throw new InvalidArgumentError(`${flag} ${value} and ${argument} say the same thing: leave one out`, { got: argument });
}

/** Reads the number of `flag`; its range is for who uses it. */
export function wholeNumber(flag: string): (text: string) => number {
  return (text) => {
    if (/^\d{1,16}$/.test(text)) return Number(text);
    throw new InvalidOptionError(`${flag} must be a whole number of 0 or more, got ${JSON.stringify(text)}`, { got: text });
  };
}

/** The text of a file that a flag names. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw cannotRead(path, cause);
  }
}

/** Bits of a mode: others than the owner may read the file. */
const OTHERS_READ = 0o044;

/** The text of a file that holds a private key. One that others than its owner can read is warned of, whatever is kept quiet. */
export function readKey(path: string): string {
  const text = readText(path);
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & OTHERS_READ) !== 0) {
    process.stderr.write(`veracruz-streams: WARNING: others can read the private key ${path}: chmod 600 it\n`);
  }
  return text;
}
