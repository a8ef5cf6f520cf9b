import type { IncomingMessage, ServerResponse } from 'node:http';
import { LimitError, LinkError, SessionUnknownError, TransportError, type VeracruzError } from '../../core/errors.js';
import { BODY_END, BOUNDARY, type ItemChunk } from '../../core/unit.js';
import type { Response } from '../../layers/bincode/index.js';
import type { Channel } from '../../pipeline/channel.js';
import { HttpBodies } from '../../transports/http-bodies.js';
import { serverClientStack } from '../stacks.js';
import type { ManagerLink } from './manager-link.js';

const LAYER = 'server';

export interface RelayLimits {
  /** Bytes that a POST's body may have. */
  readonly maxBodyBytes: number;
  /** Ciphertext bytes of one session that the Runtime Manager has not acknowledged yet. */
  readonly maxUnacknowledgedBytes: number;
  /** POSTs of one session that may wait on its connection. */
  readonly maxPipelinedPosts: number;
}

export interface RelayEvents {
  /** The session is over; `error` says why, if it did not end in peace. */
  onEnd(session: RelaySession, error: VeracruzError | undefined): void;
  /** The Runtime Manager has shut down at a client's request; the answer that says so is still on its way. */
  onInactive(): void;
}

/**
 * One client's session: takes the ciphertext out of its POSTs and puts the Runtime Manager's into the answers. It sees
 * TLS records and nothing of what is in them.
 *
 *     body ─▶ session ─▶ base64 ─▶ SendTlsData…                 (one a slice, pipelined)
 *     answer ◀─ session ◀─ base64 ◀─ TlsData ◀─ GetTlsDataNeeded / GetTlsData until there is no more
 *
 * Bodies are relayed in the order of their arrival; the next body may follow while the answer of the one before it is
 * still being fetched, but only one answer is fetched at a time: two would share out the session's bytes between them.
 */
export class RelaySession {
  /** The id that the client knows: random, not zero (wire spec §C). */
  readonly id: number;
  /** Time of the last sign of life, `performance.now()`. */
  lastActive = performance.now();
  readonly #managerId: number;
  readonly #link: ManagerLink;
  readonly #limits: RelayLimits;
  readonly #events: RelayEvents;
  #bodies: HttpBodies;
  #channel: Channel<ItemChunk>;
  /** The connection that the POSTs under way came on. */
  #owner: unknown;
  /** Fetches answers one after the other. */
  #fetching: Promise<void> = Promise.resolve();
  #unacknowledged = 0;
  #acknowledged: (() => void) | undefined;
  /** Ciphertext of the body that is being relayed has gone to the Runtime Manager already. */
  #fed = false;
  #refusal: VeracruzError | undefined;
  #ended = false;

  constructor(id: number, managerId: number, link: ManagerLink, limits: RelayLimits, events: RelayEvents) {
    this.id = id;
    this.#managerId = managerId;
    this.#link = link;
    this.#limits = limits;
    this.#events = events;
    [this.#bodies, this.#channel] = this.#open();
  }

  /** POSTs under way. */
  get pending(): number {
    return this.#bodies.pending;
  }

  /** True while POSTs of another connection are under way. */
  busyFor(connection: unknown): boolean {
    return this.pending > 0 && this.#owner !== connection;
  }

  /** Takes a POST of this session; the caller has seen to `busyFor`. */
  accept(request: IncomingMessage, response: ServerResponse, first: readonly Buffer[]): void {
    this.lastActive = performance.now();
    this.#owner = request.socket;
    if (this.pending >= this.#limits.maxPipelinedPosts) {
      const { maxPipelinedPosts } = this.#limits;
      this.#fail(
        new LimitError(`${this.pending + 1} POSTs under way, at most ${maxPipelinedPosts}`, { layer: LAYER, limit: maxPipelinedPosts }),
      );
      return;
    }
    this.#bodies.accept(request, response, first, () => {
      this.lastActive = performance.now();
    });
  }

  /** Ends the session: POSTs under way get `status` and `text`, the Runtime Manager is told to close its side. */
  end(status: number, text: string, error?: VeracruzError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#bodies.refuse(status, text);
    this.#channel.destroy();
    this.#acknowledged?.();
    this.#link.send({ kind: 'CloseTlsSession', session: this.#managerId }, () => {});
    this.#events.onEnd(this, error);
  }

  #open(): [HttpBodies, Channel<ItemChunk>] {
    const bodies = new HttpBodies(this.#limits.maxBodyBytes, { 'x-veracruz-max-body-bytes': String(this.#limits.maxBodyBytes) });
    const channel = serverClientStack(this.id).over(bodies, { session: String(this.id) });
    channel.on('error', (error: VeracruzError) => this.#fail(error));
    void this.#relay(channel);
    return [bodies, channel];
  }

  async #relay(channel: Channel<ItemChunk>): Promise<void> {
    try {
      for await (const chunk of channel as AsyncIterable<Buffer | typeof BOUNDARY>) {
        if (chunk === BOUNDARY) {
          this.#fed = false;
          this.#fetching = this.#fetching.then(() => this.#answer(channel));
        } else {
          await this.#feed(chunk);
        }
      }
    } catch {
      // The channel's error event has told it already.
    }
  }

  /** Hands ciphertext to the Runtime Manager; settles when more may follow. */
  async #feed(data: Buffer): Promise<void> {
    this.#fed = true;
    this.#unacknowledged += data.length;
    const room = this.#link.send({ kind: 'SendTlsData', session: this.#managerId, data: [data] }, (error, response) => {
      this.#unacknowledged -= data.length;
      this.#acknowledged?.();
      if (error !== undefined) this.#refusal ??= error;
      else if (!succeeded(response)) this.#refusal ??= unexpected('SendTlsData', response);
    });
    if (!room) await this.#link.drained();
    while (this.#unacknowledged >= this.#limits.maxUnacknowledgedBytes && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#acknowledged = resolve;
      });
      this.#acknowledged = undefined;
    }
  }

  /** Fetches what the Runtime Manager has for the client and puts it into the answer of the first POST under way. */
  async #answer(channel: Channel<ItemChunk>): Promise<void> {
    if (this.#ended || channel.destroyed) return;
    let items = 0;
    try {
      let needed = await this.#needed();
      while (needed && !channel.destroyed) {
        // Whether there is more is asked in the same flight; the answer is used when this item is on its way.
        const data = this.#link.call({ kind: 'GetTlsData', session: this.#managerId });
        const more = this.#needed();
        more.catch(() => {});
        const item = await data;
        if (item.kind !== 'TlsData') throw unexpected('GetTlsData', item);
        this.lastActive = performance.now();
        items++;
        if (!item.active) this.#events.onInactive();
        for (const slice of item.data) await write(channel, slice);
        await write(channel, BOUNDARY);
        needed = await more;
      }
      if (this.#refusal !== undefined && items === 0) throw this.#refusal;
      await write(channel, BODY_END);
    } catch (error) {
      if (items > 0 && !this.#bodies.destroyed) {
        // What did arrive is the last the client will get of this session, an alert for example.
        await write(channel, BODY_END).catch(() => {});
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      this.#fail(error as VeracruzError);
    }
  }

  async #needed(): Promise<boolean> {
    const response = await this.#link.call({ kind: 'GetTlsDataNeeded', session: this.#managerId });
    if (response.kind !== 'TlsDataNeeded') throw unexpected('GetTlsDataNeeded', response);
    return response.needed;
  }

  /** A fault of this session alone. */
  #fail(error: VeracruzError): void {
    if (this.#ended) return;
    if (error instanceof LinkError) {
      this.end(503, 'the Runtime Manager is not there', error);
    } else if (error instanceof SessionUnknownError || error instanceof TransportError) {
      this.end(404, error.message, error);
    } else if (error instanceof LimitError) {
      this.end(413, error.message, error);
    } else if (this.#fed) {
      this.end(400, error.message, error);
    } else {
      // Nothing of the bad body has reached TLS: the session is as it was before it.
      const refused = this.#bodies;
      [this.#bodies, this.#channel] = this.#open();
      refused.refuse(400, error.message);
    }
  }
}

function write(channel: Channel<ItemChunk>, chunk: ItemChunk): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

function succeeded(response: Response | undefined): boolean {
  return response?.kind === 'Status' && response.status === 'Success';
}

/** What the Runtime Manager says of a session that it does not know (any more) is Status Fail (wire spec §D). */
function unexpected(request: string, response: Response | undefined): VeracruzError {
  const got = response?.kind === 'Status' ? `Status(${response.status})` : response?.kind;
  return new SessionUnknownError(`the Runtime Manager refused ${request} with ${got}: it has closed the session`, { layer: LAYER, got });
}
