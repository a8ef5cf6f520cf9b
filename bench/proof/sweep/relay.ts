import type { Connection, Direction } from '../../simulate/connection.js';
import type { Case } from './cases.js';
import { recordsOf, UnitReader } from './units.js';

/** Counts the bytes and units of a way, and changes nothing. */
export class Meter {
  bytes = 0;
  units = 0;
  readonly #reader: UnitReader;
  readonly #enclosed: boolean;

  constructor(unit: Case['unit']) {
    this.#enclosed = unit === 'enclosed';
    this.#reader = new UnitReader(unit === 'byte' || unit === 'enclosed' ? 'message' : unit);
  }

  watch(direction: Direction): void {
    direction.change = (bytes) => {
      this.bytes += bytes.length;
      for (const unit of this.#reader.push(bytes)) this.units += this.#enclosed ? (readBody(unit)?.records.length ?? 0) : 1;
      return [bytes];
    };
  }
}

/** Does to a way of a connection what the case says. */
export function tamper(connection: Connection, direction: Direction, planned: Case): void {
  if (planned.unit === 'byte') tamperBytes(connection, direction, planned);
  else tamperUnits(direction, planned);
}

function tamperBytes(connection: Connection, direction: Direction, { deed, at }: Case): void {
  let passed = 0;
  direction.change = (bytes) => {
    const place = at - passed;
    passed += bytes.length;
    if (place < 0 || place >= bytes.length) return [bytes];
    const before = bytes.subarray(0, place);
    const byte = bytes.subarray(place, place + 1);
    const after = bytes.subarray(place + 1);
    switch (deed) {
      case 'flip':
        return [before, Buffer.from([(byte[0] as number) ^ (1 << (at % 8))]), after];
      case 'delete':
        return [before, after];
      case 'duplicate':
        return [before, byte, byte, after];
      case 'cut':
        setImmediate(() => connection.end());
        return [before];
      default:
        setImmediate(() => connection.cut());
        return [before];
    }
  };
}

function tamperUnits(direction: Direction, planned: Case): void {
  const { unit, deed, at } = planned;
  const reader = new UnitReader(unit === 'byte' || unit === 'enclosed' ? 'message' : unit);
  const change = changing(deed, at);
  direction.change = (bytes) => {
    const units = reader.push(bytes);
    return units.flatMap((one) => (unit === 'enclosed' ? [changeBody(one, change)] : change(one)));
  };
  // What is left at the end is no whole unit; it arrives as it is.
  direction.onEnd = () => [reader.take()];
}

/** What becomes of each unit, in their order. */
function changing(deed: Case['deed'], at: number): (unit: Buffer) => Buffer[] {
  let passed = 0;
  let kept: Buffer | undefined;
  return (unit) => {
    const place = passed++;
    if (deed === 'hold' && place >= at) return [];
    if (deed === 'swap' && place === at + 1 && kept !== undefined) return [unit, kept];
    if (place !== at) return [unit];
    if (deed === 'drop') return [];
    if (deed === 'duplicate') return [unit, unit];
    kept = unit;
    return [];
  };
}

/** The parts of an HTTP message whose body is `<id> <base64>…` with whole TLS records in it. */
function readBody(message: Buffer): { readonly head: string; readonly id: string; readonly records: Buffer[] } | undefined {
  const end = message.indexOf('\r\n\r\n') + 4;
  const head = message.toString('latin1', 0, end);
  const [id = '', ...texts] = message.toString('latin1', end).split(' ');
  if (!/content-length/i.test(head) || !/^\d+$/.test(id)) return undefined;
  return { head, id, records: recordsOf(Buffer.concat(texts.map((text) => Buffer.from(text, 'base64')))) };
}

function changeBody(message: Buffer, change: (record: Buffer) => Buffer[]): Buffer {
  const body = readBody(message);
  if (body === undefined) return message;
  const text = `${body.id} ${Buffer.concat(body.records.flatMap(change)).toString('base64')}`;
  return Buffer.from(body.head.replace(/(content-length: *)\d+/i, `$1${text.length}`) + text, 'latin1');
}
