import { LinkError, SessionUnknownError, type VeracruzError } from '../../core/errors.js';
import { type Response, type Slices, sliceBytes } from '../../layers/bincode/index.js';
import { type ManagerLink, nameOf } from './manager-link.js';

const LAYER = 'server';

/** Ciphertext that the manager gave for a client, and whether the manager is still at work (wire spec §D, `active`). */
export interface Fetched {
  readonly data: Slices;
  readonly active: boolean;
}

/**
 * A session as the Runtime Manager knows it: hands it ciphertext and fetches what it has for the client.
 *
 *     feed    SendTlsData…                                    one a slice, pipelined
 *     fetch   GetTlsDataNeeded, then GetTlsData while true     2207
 *             the first GetTlsData without that question, where an answer is likely
 *             GetTlsData until it is empty                     head
 */
export class ManagerSession {
  /** The manager's own id of the session. */
  readonly id: number;
  readonly link: ManagerLink;
  readonly #maxUnacknowledgedBytes: number;
  /** Bytes of ciphertext from the client, and for it, so far. */
  readonly bytes = { up: 0, down: 0 };
  #unacknowledged = 0;
  /** Wakes the one who waits for room. Not a semaphore: what runs out is bytes, and only one waits for them. */
  #acknowledged: (() => void) | undefined;
  /** Why a SendTlsData was refused, until somebody asks. */
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
   * @param maxUnacknowledgedBytes ciphertext on its way before `feed` makes its caller wait
   * @throws LinkError when the manager opens none
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

  /** The manager refused ciphertext since this was last asked. */
  takeRefusal(): VeracruzError | undefined {
    const refusal = this.#refusal;
    this.#refusal = undefined;
    return refusal;
  }

  /** Hands over ciphertext. Undefined when more may follow at once, else a promise of when: both before the manager answers. */
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
      this.#acknowledged?.();
      if (error !== undefined) this.#refusal ??= error;
      else if (response?.kind !== 'Status' || response.status !== 'Success') this.#refusal ??= this.#refused('SendTlsData', response);
    });
  }

  async #room(): Promise<void> {
    await this.link.drained();
    while (this.#unacknowledged >= this.#maxUnacknowledgedBytes && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#acknowledged = resolve;
      });
      this.#acknowledged = undefined;
    }
  }

  /**
   * Gives what the manager has for the client, piece by piece, until there is no more. Only one fetch a session at a
   * time: two would share the bytes out between them. The first question is sent at once, so that it goes along with what
   * was fed in the same tick.
   *
   * @param likely something will come, in all likelihood: it is asked for at once, which spares a round trip
   * @throws SessionUnknownError when the manager has closed the session
   */
  fetch(likely = false): AsyncGenerator<Fetched> {
    if (this.link.dialect === 'head') return this.#untilEmpty(this.#get());
    // Behind GetTlsData there always is the question whether there is more: the two may as well go together.
    const ahead = likely && this.link.asksAhead ? this.link.fetch(this.id) : undefined;
    const needed = this.#needed();
    // Who asks for the first piece hears of a fault.
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
      // With nothing there a manager says no (wire spec §D), in whatever words: the answer behind it tells.
      if (response.kind === 'TlsData' && sliceBytes(response.data) > 0) yield this.#fetched(response);
    }
    while (await needed) {
      // Asked right behind the item: the manager is never idle for us, and the last answer comes with the last item.
      const ask = () => {
        needed = this.#needed();
        needed.catch(() => {});
      };
      yield await this.#get(ask);
    }
  }

  /** Tells the manager that the session is over, and wakes who waits for it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#acknowledged?.();
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
   * What a Runtime Manager says of a session that it does not know (any more) is Status Fail (wire spec §D). Any other
   * kind than the request's own answers something else: the order is lost, and with it the link.
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

/** The slices in groups of at most `max` bytes. */
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
