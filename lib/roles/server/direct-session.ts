import type { Duplex } from 'node:stream';
import { Backoff } from '../../core/backoff.js';
import { clock, type Timer } from '../../core/clock.js';
import { drained } from '../../core/drained.js';
import { asVeracruzError, type LinkError, RecordError, SessionUnknownError, type VeracruzError } from '../../core/errors.js';
import type { SessionEvents } from './http-session.js';
import type { SessionGate } from './session-gate.js';

/** Milliseconds between two fetches of output while the client is silent: from FIRST, doubled each time, up to LAST. */
const LOOK_FIRST_MS = 2;
const LOOK_LAST_MS = 1000;
/**
 * Bytes of ciphertext that may go to the manager before the Server waits for a fetch to end. The manager answers that fetch
 * only when it has processed its input, or after a second. Nothing else slows down an upload that is faster than the store;
 * while a program runs, this limit lets 4 MiB a second through.
 */
const MAX_AHEAD_BYTES = 4 * 1024 * 1024;
/** The first byte of a POST, where a record of TLS begins with 22; and what a client hears that takes this for HTTP. */
const POST_BEGINS = 0x50;
const NO_HTTP_TEXT = 'clients speak TLS without HTTP here: connect to tcp:// instead of http://, as in the dialect head\n';
const NO_HTTP = [
  'HTTP/1.1 400 Bad Request',
  'connection: close',
  'content-type: text/plain; charset=utf-8',
  `content-length: ${NO_HTTP_TEXT.length}`,
  '',
  NO_HTTP_TEXT,
].join('\r\n');

/**
 * A session over plain TCP, as in the head dialect: the connection carries TLS without HTTP, one session each (wire spec §C).
 *
 *     socket ─▶ SendTlsData…
 *     socket ◀─ output of the manager, fetched after each SendTlsData and at intervals while the client is silent
 */
export class DirectSession {
  readonly #socket: Duplex;
  /** The same session at its Runtime Manager. */
  readonly manager: SessionGate;
  readonly #events: SessionEvents<DirectSession>;
  /** Time of the last byte in either direction, `clock.monotonic()`. */
  lastActive = clock.monotonic();
  /** The last bytes came from the client, so an answer may still come, however long that takes. */
  #spokeLast = false;
  /** The fetch under way has brought output. */
  #answering = false;
  /** A fetch was asked for since the one under way began. */
  #again = false;
  /** The fetch under way. A fetch that is asked for meanwhile is not queued: `#again` makes this one start over. */
  #fetching: Promise<void> | undefined;
  #look: Timer | undefined;
  readonly #lookDelay = new Backoff({ firstMs: LOOK_FIRST_MS, lastMs: LOOK_LAST_MS });
  #ended = false;

  constructor(socket: Duplex, manager: SessionGate, events: SessionEvents<DirectSession>) {
    this.#socket = socket;
    this.manager = manager;
    this.#events = events;
    socket.on('error', (error) => this.end(asVeracruzError(error, { layer: 'server' })));
    socket.on('close', () => this.end());
    void this.#relay();
  }

  /** True when an answer is being sent to the client, or may still come. */
  get answerDue(): boolean {
    return this.#spokeLast || this.#answering || this.#socket.writableLength > 0;
  }

  /** Ends the session at once and closes the connection. */
  end(error?: VeracruzError): void {
    if (this.#ended) return;
    this.#ended = true;
    clock.clear(this.#look);
    this.manager.close();
    this.#socket.destroy();
    this.#events.onEnd(this, error);
  }

  /** As `end`: the link to the manager is gone. */
  linkLost(error: LinkError | undefined): void {
    this.end(error);
  }

  /** Ends the session, because another one needs its place. */
  yield(error: LinkError): void {
    this.end(error);
  }

  /** As `end`. A client that has taken this for HTTP hears so: the write leaves at once, or not at all. */
  fail(error: VeracruzError): void {
    if (error instanceof RecordError && error.offset === 0 && error.got === POST_BEGINS) this.#socket.write(NO_HTTP);
    this.end(error);
  }

  async #relay(): Promise<void> {
    try {
      let ahead = 0;
      // When the client has sent its end, answers may still be on their way out, so the loop must not destroy the socket.
      for await (const chunk of this.#socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        this.lastActive = clock.monotonic();
        this.#spokeLast = true;
        await this.manager.feed([chunk]);
        this.#lookDelay.reset();
        this.#fetch();
        ahead += chunk.length;
        if (ahead < MAX_AHEAD_BYTES) continue;
        await this.#fetching;
        ahead = 0;
      }
      // The client sends no more. Its last request is still answered.
      await this.#fetching;
      this.#socket.end(() => this.end());
    } catch (error) {
      this.end(asVeracruzError(error, { layer: 'server' }));
    }
  }

  #fetch(): void {
    clock.clear(this.#look);
    this.#again = true;
    this.#fetching ??= this.#fetchAll();
  }

  async #fetchAll(): Promise<void> {
    let inactive = false;
    try {
      while (this.#again && !this.#ended) {
        this.#again = false;
        for await (const { data, active } of this.manager.fetch()) {
          this.#lookDelay.reset();
          inactive ||= !active;
          this.#answering = true;
          this.#spokeLast = false;
          for (const slice of data) if (!this.#socket.write(slice)) await drained(this.#socket);
          this.lastActive = clock.monotonic();
          if (this.#ended) return;
        }
        const refusal = this.manager.takeRefusal();
        if (refusal !== undefined) throw refusal;
      }
      this.#lookLater();
    } catch (error) {
      // Everything that the manager gave is written before the connection closes.
      const fault = error instanceof SessionUnknownError ? undefined : asVeracruzError(error, { layer: 'server' });
      this.#socket.end(() => this.end(fault));
    } finally {
      this.#fetching = undefined;
      this.#answering = false;
      if (inactive) this.#events.onInactive();
    }
  }

  /** A client on plain TCP cannot ask for output, so the Server fetches it at intervals. */
  #lookLater(): void {
    if (this.#ended) return;
    this.#look = clock.setTimeout(() => this.#fetch(), this.#lookDelay.next()).unref();
  }
}
