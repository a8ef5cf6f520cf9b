/** The flags of what records the traffic of a process, which the command of each role has. */
import { type Command, Option } from 'commander';
import { InvalidArgumentError } from '../core/errors.js';
import { captureTo } from '../pipeline/trace/capture.js';
import type { Recording } from '../pipeline/trace/recorder.js';
import { traceTo } from '../pipeline/trace/trace.js';
import { wholeNumber } from './flags.js';
import { VERSION } from './version.js';

export interface RecordingFlags {
  trace?: string;
  traceBytes?: number;
  /** Only where TLS runs. */
  pcap?: string;
}

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
 * Runs `work` while what the flags ask for is recorded.
 *
 * @param role what the trace calls this process
 * @throws InvalidArgumentError for a file that cannot be written, and for `--trace-bytes` without `--trace`
 */
export async function recorded<R>({ trace, traceBytes, pcap }: RecordingFlags, role: string, work: () => Promise<R>): Promise<R> {
  if (traceBytes !== undefined && trace === undefined)
    throw new InvalidArgumentError('--trace-bytes says what --trace writes: name a file by it');
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

function onFault(error: Error): void {
  warn(error.message);
}

function warn(text: string): void {
  process.stderr.write(`veracruz-streams: WARNING: ${text}\n`);
}
