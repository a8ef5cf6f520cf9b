/** The flags of what records the traffic of a process, which the command of each role has. */
import { type Command, Option } from 'commander';
import { integerInRange } from '../core/check.js';
import { InvalidArgumentError } from '../core/errors.js';
import { captureTo } from '../pipeline/trace/capture.js';
import type { Recording } from '../pipeline/trace/recorder.js';
import { MAX_FIRST_BYTES, traceTo } from '../pipeline/trace/trace.js';
import { wholeNumber } from './flags.js';
import { isSameFile } from './same-file.js';
import { VERSION } from './version.js';

export interface RecordingFlags {
  trace?: string;
  traceBytes?: number;
  /** Only where TLS runs. */
  pcap?: string;
}

type Work<R> = () => Promise<R>;

/** Adds them to a command. @param tls the role ends TLS sessions, and can write them as a capture */
export function addRecordingOptions(command: Command, { tls = false }: { readonly tls?: boolean } = {}): Command {
  command
    .option('--trace <file>', 'write what passes between the layers, JSON lines: sizes, times, sessions; inspect --trace draws it')
    .addOption(
      new Option('--trace-bytes <n>', 'write the first bytes of each item into the trace too: PLAINTEXT')
        .argParser(wholeNumber('--trace-bytes'))
        .default(undefined, '0'),
    );
  return tls ? command.option('--pcap <file>', 'write the TLS bytes of each session, for Wireshark and tshark; no keys') : command;
}

/**
 * Runs a command while what its flags ask for is recorded.
 *
 * @param role what the trace calls this process
 * @param prepare checks all that the command was given, and makes nothing: with wrong flags an earlier recording stays as it is.
 * Gives what is to be run and recorded
 * @throws InvalidArgumentError for a file that cannot be written, for one file that is to be both, and for `--trace-bytes` without
 * `--trace`
 */
export async function recorded<R>(flags: RecordingFlags, role: string, prepare: () => Work<R> | Promise<Work<R>>): Promise<R> {
  const { trace, traceBytes, pcap } = flags;
  checkFlags(flags);
  const work = await prepare();
  const recordings: Recording[] = [];
  try {
    if (trace !== undefined) recordings.push(traceTo(trace, { bytes: traceBytes ?? 0, role, version: VERSION, onFault }));
    if (traceBytes !== undefined && traceBytes > 0)
      warn(`the first ${traceBytes} bytes of all that passes go into ${trace}: plaintext, too (--trace-bytes)`);
    if (pcap !== undefined) recordings.push(captureTo(pcap, { onFault }));
    return await work();
  } finally {
    for (const recording of recordings) recording.close();
  }
}

function checkFlags({ trace, traceBytes, pcap }: RecordingFlags): void {
  if (traceBytes !== undefined && trace === undefined)
    throw new InvalidArgumentError('--trace-bytes says what --trace writes: name a file by it');
  if (traceBytes !== undefined) integerInRange('--trace-bytes', traceBytes, 0, MAX_FIRST_BYTES);
  if (trace !== undefined && pcap !== undefined && isSameFile(trace, pcap))
    throw new InvalidArgumentError(`--trace ${trace} and --pcap ${pcap} are the same file: each needs one of its own`);
}

function onFault(error: Error): void {
  warn(error.message);
}

function warn(text: string): void {
  process.stderr.write(`veracruz-streams: WARNING: ${text}\n`);
}
