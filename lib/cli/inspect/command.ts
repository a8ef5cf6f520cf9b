import { writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command, InvalidArgumentError as InvalidFlagError, Option } from 'commander';
import { InvalidArgumentError, VeracruzError } from '../../core/errors.js';
import { cannotWrite } from '../../core/file-faults.js';
import { DIALECTS, type Dialect } from '../../layers/formats/dialect.js';
import { FRAME_KINDS, type FrameKind } from '../../layers/frame/index.js';
import { ENVELOPES, type EnvelopeName } from '../../layers/protobuf/index.js';
import { isSameFile } from '../same-file.js';
import { standardOutput } from '../standard-output.js';
import { type Annotation, annotate } from './annotate.js';
import { type Choice, choose } from './choose.js';
import { wrap } from './down.js';
import { bytesOf, FORMS, type Form, readInput } from './input.js';
import { jsonPieces } from './json.js';
import { type Known, LAYER_NAMES, type LayerName, readingsOf } from './reading.js';
import type { Fault } from './region.js';
import { dumpLines, type Paint, plainPaint, terminalPaint } from './text.js';
import { sequenceSvg } from './trace/draw-svg.js';
import { sequenceLines } from './trace/draw-text.js';
import { readTrace } from './trace/read.js';
import { sequenceOf } from './trace/sequence.js';

/** Default of `--max-bytes`. */
const MAX_BYTES = 64 * 2 ** 20;
/** Characters of output that are gathered for one write. */
const WRITE_CHARS = 65_536;

interface InspectFlags {
  layer?: LayerName;
  trace?: string;
  svg?: string;
  dialect: Dialect;
  frame: FrameKind;
  type?: EnvelopeName | 'Status';
  side?: 'request' | 'response';
  input: Form;
  json?: boolean;
  down?: boolean;
  maxBytes: number;
}

/** What they say of an input that is no trace. */
type InputFlags = InspectFlags & { readonly layer: LayerName };

/** `veracruz-streams inspect` */
export function inspectCommand(): Command {
  return new Command('inspect')
    .description(
      'Say what each byte of a message is: an annotated hex dump, from the given layer upward as far as it goes. Or draw a trace.',
    )
    .argument('[file]', 'the input; - is standard input', '-')
    .addOption(new Option('--layer <name>', 'the layer that the input begins with').choices(LAYER_NAMES))
    .option('--trace <file>', 'instead: draw a trace of a role as a sequence')
    .option('--svg <file>', 'draw it into this file too, as SVG')
    .addOption(new Option('--dialect <name>', 'what the peers speak; the wire does not say').choices(DIALECTS).default('2207'))
    .addOption(new Option('--frame <kind>', 'which header frames have').choices([...FRAME_KINDS]).default('tcp9'))
    .addOption(new Option('--side <side>', 'which way it went; default: what fits').choices(['request', 'response']))
    .addOption(new Option('--type <name>', 'which message it is; default: what fits').choices([...ENVELOPES, 'Status']))
    .addOption(
      new Option('--input <form>', 'how its bytes are written; dump: by xxd, hexdump -C or od -t x1; curl: by curl --trace')
        .choices(FORMS)
        .default('raw'),
    )
    .option('--json', 'print one JSON document')
    .option('--down', 'first put the input into the layers below its own')
    .option('--max-bytes <n>', 'bytes that the input may have', positive, MAX_BYTES)
    .addHelpText('after', HELP)
    .action(async (file: string, flags: InspectFlags, command: Command) => {
      if (flags.trace !== undefined) {
        await inspectTrace(flags.trace, flags.svg, [...command.args, ...otherFlags(command)]);
        return;
      }
      if (flags.svg !== undefined) throw new InvalidArgumentError('--svg draws a trace: name one with --trace');
      const { layer } = flags;
      if (layer === undefined) command.error("error: say with which layer the input begins: '--layer <name>'");
      const sound = await inspect(file, { ...flags, layer });
      process.exitCode = sound ? 0 : 1;
    });
}

/** What was said that does not belong to `--trace`. */
function otherFlags(command: Command): string[] {
  const said = command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
  return said.map(({ long }) => long ?? '').filter((flag) => flag !== '--trace' && flag !== '--svg');
}

/** Prints a trace as a sequence, and writes it as SVG. */
async function inspectTrace(path: string, svg: string | undefined, others: readonly string[]): Promise<void> {
  if (others.length > 0) throw new InvalidArgumentError(`--trace and ${others[0]} do not go together: leave one out`);
  if (svg !== undefined && isSameFile(path, svg)) throw new InvalidArgumentError(`--svg ${svg} would replace the trace: name another file`);
  const sequence = sequenceOf(readTrace(path));
  if (svg !== undefined) writeSvg(svg, [...sequenceSvg(sequence)].join(''));
  await print(lines(sequenceLines(sequence)));
}

function writeSvg(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

function* lines(texts: Iterable<string>): Generator<string, void, undefined> {
  for (const text of texts) yield `${text}\n`;
}

const HELP = `
What is read: frame → bincode → TLS records; http → session → base64 → TLS records; prefix → protobuf. Records are the end of it:
what is in them is ciphertext. Offsets count from the start of the input, those with a + in what a base64 text decodes to.

Examples:
  curl -s -d '0 FgMBAAA=' http://127.0.0.1:3011/runtime_manager | veracruz-streams inspect --layer session
  veracruz-streams inspect capture.bin --layer frame --side request
  echo '07000000 05000000 0200000000000000 1603' | veracruz-streams inspect --layer bincode --input hex
  xxd capture.bin | veracruz-streams inspect --layer frame --input dump
  echo '5a04 0a022f61' | veracruz-streams inspect --layer protobuf --input hex --down
  veracruz-streams inspect start.txt --layer base64 --type ProxyAttestationServerRequest
  curl -s --trace exchange.txt … && veracruz-streams inspect exchange.txt --layer http --input curl
  veracruz-streams client … --trace client.jsonl && veracruz-streams inspect --trace client.jsonl --svg client.svg

Exit status: 0 sound, 1 broken (the first bad byte is pointed at), 2 wrong use.`;

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 2 ** 30) throw new InvalidFlagError(`It is a whole number from 1 to ${2 ** 30}.`);
  return value;
}

/** Prints the annotated input. Returns whether it has no fault. */
async function inspect(file: string, flags: InputFlags): Promise<boolean> {
  if (file === '-' && process.stdin.isTTY) {
    throw new InvalidArgumentError('nothing to inspect: name a file, or pipe the bytes into standard input');
  }
  const known = knownOf(flags);
  const { bytes, fault } = interpret(readInput(file, flags.maxBytes), flags.input);
  const wrapped = flags.down === true ? wrap(bytes, known) : { bytes, layer: known.layer };
  const choice = choose(wrapped.bytes, readingsOf({ ...known, layer: wrapped.layer }));
  let broken = false;
  const watch = function* (items: Iterable<Annotation>): Generator<Annotation, void, undefined> {
    for (const item of items) {
      broken ||= item.kind === 'fault';
      yield item;
    }
  };
  const items = watch(fault === undefined ? annotate(wrapped.bytes, choice.reading) : [fault]);
  const paint = process.stdout.isTTY && !process.env.NO_COLOR ? terminalPaint : plainPaint;
  const title = fault === undefined ? titleOf(wrapped.bytes, choice) : '';
  await print(flags.json === true ? jsonPieces(headOf(wrapped.bytes, choice), items) : textPieces(title, items, paint));
  return !broken;
}

function knownOf({ layer, dialect, frame, side, type }: InputFlags): Known {
  const told = type === 'Status' ? 'status' : side;
  if (told === 'status' && layer !== 'bincode')
    throw new InvalidArgumentError('--type Status is a bincode value: use it with --layer bincode');
  const given = type === 'Status' ? undefined : type;
  if (side !== undefined && type !== undefined && !(given?.toLowerCase().endsWith(side) ?? false)) {
    throw new InvalidArgumentError(`--side ${side} and --type ${type} contradict each other: leave one out`);
  }
  return { layer, dialect, frame, ...(told && { side: told }), ...(given && { type: given }) };
}

/** Decodes the input (raw, hex or base64) to bytes, or gives the fault in its text. */
function interpret(input: Buffer, form: Form): { bytes: Buffer; fault?: Fault } {
  try {
    return { bytes: bytesOf(input, form) };
  } catch (error) {
    if (!(error instanceof VeracruzError)) throw error;
    const offset = error.offset ?? 0;
    return { bytes: Buffer.alloc(0), fault: { kind: 'fault', layer: 'input', offset, decoded: false, error, bytes: input } };
  }
}

/** The root of the JSON document. */
function headOf(bytes: Buffer, { reading, other }: Choice): object {
  const { layer, dialect, frame, side, type } = reading;
  return {
    layer,
    field: 'input',
    offset: 0,
    length: bytes.length,
    dialect,
    ...(layer === 'frame' && { frame }),
    side,
    ...(isMessage(layer) && { type }),
    ...(other !== undefined && { also: other.side }),
  };
}

function isMessage(layer: LayerName): boolean {
  return layer === 'protobuf' || layer === 'prefix';
}

/** The first line of a dump. */
function titleOf(bytes: Buffer, { reading, other }: Choice): string {
  const { layer, dialect, frame, side, type } = reading;
  const as = isMessage(layer) ? `${dialect} ${type}` : layer === 'record' ? 'TLS' : `${dialect} ${side}`;
  const also = other === undefined ? '' : `; it can be read as a ${other.side} as well (--side ${other.side})`;
  return `${bytes.length} bytes, ${layer}${layer === 'frame' ? ` ${frame}` : ''}, read as ${as}${also}`;
}

function* textPieces(title: string, items: Iterable<Annotation>, paint: Paint): Generator<string, void, undefined> {
  if (title !== '') yield `${paint('dim', title)}\n`;
  yield* lines(dumpLines(items, paint));
}

/** Writes pieces to standard output, with back-pressure. Ends without an error when the reader goes away. */
async function print(pieces: Iterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(gathered(pieces)), standardOutput());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}

function* gathered(pieces: Iterable<string>): Generator<string, void, undefined> {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < WRITE_CHARS) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}
