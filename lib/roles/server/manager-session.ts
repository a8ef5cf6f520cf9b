import { LinkError, SessionUnknownError, type VeracruzError } from '../../core/errors.js';
import { type Response, type Slices, sliceBytes } from '../../layers/bincode/index.js';
import { type ManagerLink, nameOf } from './manager-link.js';

const LAYER = 'server';

/** Ciphertext that the manager gave for a client, and whether the manager is still in service (wire spec §D, `active`). */
export interface Fetched {
  readonly data: Slices;
  readonly active: boolean;
}

/**
 * A session at its Runtime Manager, as the Server uses it: sends ciphertext and fetches the manager's ciphertext.
 *
 *     feed    SendTlsData…                                    pipelined
 *     fetch   GetTlsDataNeeded, then GetTlsData while true     2207
 *             a GetTlsData before these, where an answer is likely
 *             GetTlsData until it is empty                     head
 */
export class ManagerSession {
  /** The manager's own id of the session. */
  readonly id: number;
  readonly link: ManagerLink;
  readonly #maxUnacknowledgedBytes: number;
  /** Bytes of ciphertext so far: `up` from the client, `down` to it. */
  readonly bytes = { up: 0, down: 0 };
  #unacknowledged = 0;
  /** Wake the callers of `feed` that wait, to look again whether there is room. */
  #waiters: (() => void)[] = [];
  /** Why a SendTlsData was refused. Cleared by `takeRefusal`. */
  #refusal: VeracruzError | undefined;
  #closed = false;

  private constructor(id: number, link: ManagerLink, maxUnacknowledgedBytes: number) {
    this.id = id;
    this.link = link;
    this.#maxUnacknowledgedBytes = maxUnacknowledgedBytes;
  }

  /**
   * Opens a session at a manager.
   *
   * @param maxUnacknowledgedBytes bytes of unanswered SendTlsData from which on `feed` makes its caller wait
   * @throws LinkError when the manager does not open a session
   */
  static async open(link: ManagerLink, maxUnacknowledgedBytes: number): Promise<ManagerSession> {
    const answer = await link.call({ kind: 'NewTlsSession' });
    if (answer.kind !== 'TlsSession') {
      const error = new LinkError('the Runtime Manager opens no session', { layer: LAYER, got: nameOf(answer) });
      if (answer.kind !== 'Status' || answer.status === 'Success') link.destroy(error);
      throw error;
    }
    return new ManagerSession(answer.session, link, maxUnacknowledgedBytes);
  }

  /** The refusal of a SendTlsData since the last call, if there was one. */
  takeRefusal(): VeracruzError | undefined {
    const refusal = this.#refusal;
    this.#refusal = undefined;
    return refusal;
  }

  /** Sends ciphertext. Returns undefined when more may follow at once, else a promise that settles when more may follow. */
  feed(slices: Slices): Promise<void> | undefined {
    let room = true;
    for (const group of grouped(slices, this.link.maxSendBytes)) room = this.#send(group);
    return room && this.#unacknowledged < this.#maxUnacknowledgedBytes ? undefined : this.#room();
  }

  #send(data: Slices): boolean {
    const bytes = sliceBytes(data);
    this.bytes.up += bytes;
    this.#unacknowledged += bytes;
    return this.link.send({ kind: 'SendTlsData', session: this.id, data }, (error, response) => {
      this.#unacknowledged -= bytes;
      this.#wake();
      if (error !== undefined) this.#refusal ??= error;
      else if (response?.kind !== 'Status' || response.status !== 'Success') this.#refusal ??= this.#refused('SendTlsData', response);
    });
  }

  async #room(): Promise<void> {
    await this.link.drained();
    while (this.#unacknowledged >= this.#maxUnacknowledgedBytes && !this.#closed) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }

  /**
   * Yields the manager's ciphertext for the client, piece by piece, until there is no more. A session must run one fetch at
   * a time: two would each get part of the bytes. The first request leaves at once, so that it travels together with what
   * was fed in the same tick.
   *
   * @param likely an answer is likely: GetTlsData is then sent first, without asking, which saves a round trip
   * @throws SessionUnknownError when the manager has closed the session
   */
  fetch(likely = false): AsyncGenerator<Fetched> {
    if (this.link.dialect === 'head') return this.#untilEmpty(this.#get());
    // Each GetTlsData is followed by the question whether there is more, so both are sent together.
    const ahead = likely && this.link.asksAhead ? this.link.fetch(this.id) : undefined;
    const needed = this.#needed();
    // A failure is reported when the generator awaits these promises. Until then it must not count as unhandled.
    for (const promise of [ahead, needed]) promise?.catch(() => {});
    return this.#whileNeeded(ahead, needed);
  }

  async *#untilEmpty(first: Promise<Fetched>): AsyncGenerator<Fetched> {
    first.catch(() => {});
    for (let item = await first; item.data.length > 0; item = await this.#get()) yield item;
  }

  async *#whileNeeded(ahead: Promise<Response> | undefined, first: Promise<boolean>): AsyncGenerator<Fetched> {
    let needed = first;
    if (ahead !== undefined) {
      const response = await ahead;
      // A manager without data refuses here in one way or another (wire spec §D). The next answer tells what it means.
      if (response.kind === 'TlsData' && sliceBytes(response.data) > 0) yield this.#fetched(response);
    }
    while (await needed) {
      // The next question follows GetTlsData at once, so that the final "no" arrives together with the last piece.
      const ask = () => {
        needed = this.#needed();
        needed.catch(() => {});
      };
      yield await this.#get(ask);
    }
  }

  /** Whether the manager still has the session. In the head dialect it cannot be asked without taking output: then true. */
  async alive(): Promise<boolean> {
    if (this.link.dialect === 'head') return true;
    const response = await this.link.call({ kind: 'GetTlsDataNeeded', session: this.id });
    return response.kind === 'TlsDataNeeded';
  }

  /** Tells the manager that the session is over, and wakes the callers of `feed` that wait. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake();
    this.link.send({ kind: 'CloseTlsSession', session: this.id }, () => {});
  }

  async #needed(): Promise<boolean> {
    const response = await this.link.call({ kind: 'GetTlsDataNeeded', session: this.id });
    if (response.kind !== 'TlsDataNeeded') throw this.#refused('GetTlsDataNeeded', response);
    return response.needed;
  }

  async #get(sent?: () => void): Promise<Fetched> {
    return this.#fetched(await this.link.fetch(this.id, sent));
  }

  #fetched(response: Response): Fetched {
    if (response.kind !== 'TlsData') throw this.#refused('GetTlsData', response);
    this.bytes.down += sliceBytes(response.data);
    return response;
  }

  /**
   * The error for an unexpected answer. A Runtime Manager answers Status Fail for a session that it does not know or has
   * closed (wire spec §D). Any other kind means that answers no longer match requests, so the link is destroyed.
   */
  #refused(request: string, response: Response | undefined): VeracruzError {
    const got = nameOf(response);
    if (response?.kind === 'Status' && response.status !== 'Success') {
      return new SessionUnknownError(`the Runtime Manager refused ${request} with ${got}: it has closed the session`, {
        layer: LAYER,
        got,
      });
    }
    const error = new LinkError(`the Runtime Manager answered ${request} with ${got}`, { layer: LAYER, got });
    this.link.destroy(error);
    return error;
  }
}

/** Splits slices into groups of at most `max` bytes. */
function* grouped(slices: Slices, max: number): Generator<Slices> {
  let group: Buffer[] = [];
  let bytes = 0;
  for (const slice of slices) {
    for (let at = 0; at < slice.length; ) {
      const piece = slice.subarray(at, at + max - bytes);
      group.push(piece);
      at += piece.length;
      bytes += piece.length;
      if (bytes < max) continue;
      yield group;
      group = [];
      bytes = 0;
    }
  }
  if (group.length > 0) yield group;
}
