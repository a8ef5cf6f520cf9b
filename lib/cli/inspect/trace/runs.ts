/** The bytes of one connection, as runs: what goes in one direction until something comes in the other. */
import type { Direction } from '../../../pipeline/diagnostics.js';
import type { ItemLine } from './read.js';

/** Different names of messages that a run lists. */
const MAX_NAMES = 4;
/** Messages of a connection that are known to be under way; more are not named. */
const MAX_PENDING = 1000;

/** Bytes that go in one direction, and the messages that they bring. */
export class Run {
  readonly connection: Connection;
  readonly direction: Direction;
  readonly ms: number;
  bytes = 0;
  /** What it is part of, where no message ends in it. */
  part = '';
  readonly #names = new Map<string, number>();
  #more = 0;

  constructor(connection: Connection, direction: Direction, ms: number) {
    this.connection = connection;
    this.direction = direction;
    this.ms = ms;
  }

  /** It brings a message. */
  name(name: string): void {
    const count = this.#names.get(name);
    if (count === undefined && this.#names.size === MAX_NAMES) this.#more++;
    else this.#names.set(name, (count ?? 0) + 1);
  }

  get label(): string {
    const names = [...this.#names].map(([name, count]) => (count === 1 ? name : `${count} × ${name}`));
    if (this.#more > 0) names.push(`${this.#more} more`);
    if (names.length === 0 && this.part !== '') names.push(this.part);
    return [`#${this.connection.id}`, [...names, `${this.bytes} ${this.bytes === 1 ? 'byte' : 'bytes'}`].join(', ')].join(' ');
  }
}

/** One connection, while its lines are read. */
export class Connection {
  readonly id: number;
  layers: readonly string[] = [];
  readonly #finished: (run: Run) => void;
  /** The latest run of each direction, and whether it still goes on. */
  readonly #latest: Partial<Record<Direction, Run>> = {};
  readonly #running = { outbound: false, inbound: false };
  /** Number of runs of each direction. */
  readonly #count = { outbound: 0, inbound: 0 };
  /** Names of what the application has written and is not out yet. */
  readonly #pending: string[] = [];
  readonly #units = new Units();

  /** @param finished is given each run when it is over; it may still get names */
  constructor(id: number, finished: (run: Run) => void) {
    this.id = id;
    this.#finished = finished;
  }

  item(line: ItemLine): void {
    const { direction, from, to, bytes, message, status, ms } = line;
    if (message !== undefined) this.#message(direction, status === undefined ? message : `${message} ${status}`, ms);
    if (bytes !== undefined && (from === 'pipe' || to === 'pipe')) this.#bytes(direction, bytes, ms);
    if (direction === 'outbound') for (let ended = this.#units.ended(line); ended > 0; ended--) this.#sent(ms);
  }

  end(): void {
    this.#finish('inbound');
    this.#finish('outbound');
  }

  #message(direction: Direction, name: string, ms: number): void {
    if (direction === 'inbound') this.#carrier(direction, ms).name(name);
    // Without TLS, messages go out as they are written. TLS holds them back until its handshake is over.
    else if (!this.layers.includes('tls')) this.#run('outbound', ms).name(name);
    else if (this.#pending.length < MAX_PENDING) this.#pending.push(name);
  }

  #sent(ms: number): void {
    const name = this.#pending.shift();
    if (name !== undefined) this.#carrier('outbound', ms).name(name);
  }

  /** What brings a message whose end is told now: the bytes that went last, even if some have come back since. */
  #carrier(direction: Direction, ms: number): Run {
    return this.#latest[direction] ?? this.#run(direction, ms);
  }

  #bytes(direction: Direction, bytes: number, ms: number): void {
    const other = direction === 'outbound' ? 'inbound' : 'outbound';
    if ((this.#latest[other]?.bytes ?? 0) > 0) this.#finish(other);
    this.#run(direction, ms).bytes += bytes;
  }

  #run(direction: Direction, ms: number): Run {
    const latest = this.#latest[direction];
    if (latest !== undefined && this.#running[direction]) return latest;
    const run = new Run(this, direction, ms);
    this.#latest[direction] = run;
    this.#running[direction] = true;
    return run;
  }

  #finish(direction: Direction): void {
    const run = this.#latest[direction];
    if (run === undefined || !this.#running[direction]) return;
    this.#running[direction] = false;
    this.#count[direction]++;
    const [next] = this.#pending;
    if (this.layers.includes('tls') && this.#count[direction] === 1) run.part = 'TLS handshake';
    else if (direction === 'outbound' && next !== undefined) run.part = `${next} …`;
    this.#finished(run);
  }
}

/**
 * Tells when a message is out, from the mark behind it. The records layer, where there is one, has the mark close a unit, whose
 * boundary goes on in the place of the mark; a unit may hold the ends of several messages. The place of a mark is told by the
 * bytes before it, because the layer may be busy with earlier ones when it is given the mark.
 */
class Units {
  /** Bytes that the records layer was given, and that it has given. */
  #taken = 0;
  #given = 0;
  /** Bytes before each mark that it was given and has not answered with a boundary. */
  readonly #marks: number[] = [];
  /** Messages that end in each unit that is closed and not out. */
  readonly #closed: number[] = [];

  /** Number of messages of which this line says that they are out. */
  ended({ from, to, bytes = 0, mark, bound }: ItemLine): number {
    const ends = mark === 'end-of-message';
    if (to === 'records') {
      this.#taken += bytes;
      if (ends && this.#marks.length < MAX_PENDING) this.#marks.push(this.#taken);
    }
    if (from === 'records') {
      this.#given += bytes;
      if (bound === 'boundary') this.#close();
    }
    if (to !== 'pipe') return 0;
    return ends ? 1 : bound === 'boundary' ? (this.#closed.shift() ?? 0) : 0;
  }

  #close(): void {
    const later = this.#marks.findIndex((place) => place > this.#given);
    const due = later < 0 ? this.#marks.length : later;
    this.#marks.splice(0, due);
    if (this.#closed.length < MAX_PENDING) this.#closed.push(due);
  }
}
