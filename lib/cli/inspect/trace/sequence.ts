/** What a trace says, as a sequence: who sent what to whom, in the order of time. */
import { LimitError } from '../../../core/errors.js';
import type { CutLine, OpenLine, TraceHead, TraceLine } from './read.js';
import { Connection, type Run } from './runs.js';

/** Rows that are kept; more are counted. */
const MAX_ROWS = 5000;
/** Connections that a trace may have open at once. */
const MAX_CONNECTIONS = 100_000;
/** Broken lines, and connections that are left open, which are told by their numbers; more are counted. */
const MAX_BROKEN = 5;
const MAX_OPEN = 5;

/** A run of bytes in one direction of one connection, and the messages that it brings. */
export interface Arrow {
  readonly kind: 'arrow';
  readonly ms: number;
  /** Indices of lanes. */
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

/** Something that happens at the process that wrote the trace. */
export interface Note {
  readonly kind: 'note';
  readonly ms: number;
  readonly text: string;
}

export type SequenceRow = Arrow | Note;

export interface Sequence {
  readonly title: string;
  /** Who takes part, from left to right. */
  readonly lanes: readonly string[];
  readonly rows: readonly SequenceRow[];
  /** What the reader should know besides, e.g. that the trace is cut. */
  readonly remarks: readonly string[];
}

/** Who is at the other end, by who we are and what layer the stack has. The first that fits counts; `*` fits all. */
const PEERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  client: { '*': 'server' },
  server: { session: 'client', bincode: 'runtime', '*': 'attestation' },
  runtime: { bincode: 'server', '*': 'client' },
  attestation: { '*': 'server' },
};
/** The order of lanes. */
const LANES = ['client', 'server', 'runtime', 'attestation'];
const UNKNOWN_ROLE = 'this process';
const UNKNOWN_PEER = 'peer';

/** @throws LimitError for more open connections than a trace may have; what `lines` throws */
export function sequenceOf(lines: Iterable<TraceLine>): Sequence {
  const reader = new SequenceReader();
  for (const line of lines) reader.take(line);
  return reader.end();
}

class SequenceReader {
  #head: TraceHead | undefined;
  readonly #connections = new Map<number, Connection>();
  readonly #rows: (Run | Note)[] = [];
  readonly #remarks: string[] = [];
  /** Numbers of lines that are broken, the first ones. */
  readonly #broken: number[] = [];
  #moreBroken = 0;
  #endIsCut = false;
  #lastLine = 0;
  #more = 0;

  take(line: TraceLine): void {
    if (line.event === 'trace') this.#head = line;
    else if (line.event === 'cut') this.#cut(line);
    else if (line.event === 'end') this.#lastLine = line.line;
    else if (line.event === 'open') this.#open(line);
    else if (line.event === 'item') this.#connection(line).item(line);
    else this.#over(line);
  }

  end(): Sequence {
    const open = [...this.#connections.keys()].map((id) => `#${id}`);
    for (const connection of this.#connections.values()) connection.end();
    const self = this.#head?.role ?? UNKNOWN_ROLE;
    const present = new Set([self, ...this.#rows.flatMap((row) => ('kind' in row ? [] : [this.#peerOf(row)]))]);
    const known = LANES.filter((lane) => present.has(lane));
    const lanes = [...known, ...[...present].filter((lane) => !known.includes(lane))];
    this.#tellCuts(open);
    if (this.#more > 0) this.#remarks.push(`${this.#more} more rows are not drawn: ${MAX_ROWS} are, at most`);
    const rows = this.#rows.map((row) => ('kind' in row ? row : this.#arrowOf(row, lanes, self)));
    rows.sort((a, b) => a.ms - b.ms);
    const title = this.#head === undefined ? 'part of a trace' : `trace of ${self}, from ${this.#head.started}`;
    return { title, lanes, rows, remarks: this.#remarks };
  }

  #cut({ at, line }: CutLine): void {
    if (at === 'beginning')
      this.#remarks.push(`the beginning of the trace is missing, and with it who wrote it: line ${line} is not its first`);
    else if (at === 'end') {
      this.#remarks.push(`the trace ends in the middle of line ${line}: what follows is missing`);
      this.#endIsCut = true;
    } else if (this.#broken.length < MAX_BROKEN) this.#broken.push(line);
    else this.#moreBroken++;
  }

  /** @param open connections that are so where the trace ends */
  #tellCuts(open: readonly string[]): void {
    if (this.#broken.length > 0) {
      const more = this.#moreBroken === 0 ? '' : `, and ${this.#moreBroken} more`;
      const [lines, are] = this.#broken.length === 1 ? ['line', 'is'] : ['lines', 'are'];
      this.#remarks.push(`${lines} ${this.#broken.join(', ')}${more} ${are} broken: something is missing there`);
    }
    if (open.length === 0 || this.#endIsCut) return;
    const some = open.length > MAX_OPEN ? `${open.length} connections are` : `${open.join(', ')} ${open.length === 1 ? 'is' : 'are'}`;
    this.#remarks.push(`${some} open where the trace ends, behind line ${this.#lastLine}: what follows may be missing`);
  }

  #arrowOf(run: Run, lanes: readonly string[], self: string): Arrow {
    const [here, there] = [lanes.indexOf(self), lanes.indexOf(this.#peerOf(run))];
    const [from, to] = run.direction === 'outbound' ? [here, there] : [there, here];
    return { kind: 'arrow', ms: run.ms, from, to, label: run.label };
  }

  #peerOf({ connection: { layers } }: Run): string {
    const peers = new Map(Object.entries(PEERS)).get(this.#head?.role ?? '') ?? {};
    const found = Object.entries(peers).find(([layer]) => layer === '*' || layers.includes(layer));
    return found?.[1] ?? UNKNOWN_PEER;
  }

  #open(line: OpenLine): void {
    this.#draw({ kind: 'note', ms: line.ms, text: `#${line.connection} open: ${line.layers.join(', ')}` });
    this.#connection(line).layers = line.layers;
  }

  #over(line: Extract<TraceLine, { event: 'error' | 'close' }>): void {
    this.#connections.get(line.connection)?.end();
    const session = line.session === undefined ? '' : ` (session ${line.session})`;
    const text = line.event === 'error' ? `failed: ${line.code} in ${line.layer}` : 'closed';
    this.#draw({ kind: 'note', ms: line.ms, text: `#${line.connection} ${text}${session}` });
    if (line.event === 'close') this.#connections.delete(line.connection);
  }

  /** The connection of a line. One whose beginning is not in the trace begins here. */
  #connection({ connection: id }: { readonly connection: number }): Connection {
    const found = this.#connections.get(id);
    if (found !== undefined) return found;
    if (this.#connections.size >= MAX_CONNECTIONS) {
      throw new LimitError(`more than ${MAX_CONNECTIONS} connections are open at once`, { layer: 'trace', limit: MAX_CONNECTIONS });
    }
    const made = new Connection(id, (run) => this.#draw(run));
    this.#connections.set(id, made);
    return made;
  }

  #draw(row: Run | Note): void {
    if (this.#rows.length < MAX_ROWS) this.#rows.push(row);
    else this.#more++;
  }
}
