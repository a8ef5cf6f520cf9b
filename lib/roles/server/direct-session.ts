import type { Duplex } from 'node:stream';
import { Backoff } from '../../core/backoff.js';
import { drained } from '../../core/drained.js';
import { asVeracruzError, SessionUnknownError, type VeracruzError } from '../../core/errors.js';
import type { SessionEvents } from './http-session.js';
import type { ManagerSession } from './manager-session.js';

/** Milliseconds between two looks for output while the client is silent: doubled from the first to the last. */
const LOOK_FIRST_MS = 2;
const LOOK_LAST_MS = 1000;
/**
 * Ciphertext that may go to the manager between two times that it says it has digested what it got: nothing else holds
 * back an upload that is faster than its store. Behind a program that runs, that is so much a second.
 */
const MAX_AHEAD_BYTES = 4 * 1024 * 1024;

/**
 * A session over plain TCP, as the head dialect has it: TLS straight through, one connection a session (wire spec §C).
 *
 *     socket ─▶ SendTlsData…
 *     socket ◀─ what the manager has, after each of these and, while it may still be at work, now and then
 */
export class DirectSession {
  readonly #socket: Duplex;
  /** The same session at its Runtime Manager. */
  readonly manager: ManagerSession;
  readonly #events: SessionEvents<DirectSession>;
  /** Time of the last byte in either direction, `performance.now()`. */
  lastActive = performance.now();
  /** The client spoke last: there may be an answer to come, however long that takes. */
  #spokeLast = false;
  /** The fetch that is under way has brought something. */
  #answering = false;
  /** Something was fed since the fetch that is under way began. */
  #again = false;
  /** Not a mutex: a fetch that is asked for during another one is not queued, the other one goes round again. */
  #fetching: Promise<void> | undefined;
  #look: NodeJS.Timeout | undefined;
  readonly #lookDelay = new Backoff({ firstMs: LOOK_FIRST_MS, lastMs: LOOK_LAST_MS });
  #ended = false;

  constructor(socket: Duplex, manager: ManagerSession, events: SessionEvents<DirectSession>) {
    this.#socket = socket;
    this.manager = manager;
    this.#events = events;
    socket.on('error', (error) => this.end(asVeracruzError(error, { layer: 'server' })));
    socket.on('close', () => this.end());
    void this.#relay();
  }

  /** An answer is on its way to the client, or may be to come. */
  get answerDue(): boolean {
    return this.#spokeLast || this.#answering || this.#socket.writableLength > 0;
  }

  /** Ends the session at once and closes the connection. */
  end(error?: VeracruzError): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#look);
    this.manager.close();
    this.#socket.destroy();
    this.#events.onEnd(this, error);
  }

  async #relay(): Promise<void> {
    try {
      let ahead = 0;
      // The loop must not destroy the socket at its end: answers may still be on their way out.
      for await (const chunk of this.#socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        this.lastActive = performance.now();
        this.#spokeLast = true;
        await this.manager.feed([chunk]);
        this.#lookDelay.reset();
        this.#fetch();
        ahead += chunk.length;
        if (ahead < MAX_AHEAD_BYTES) continue;
        await this.#fetching;
        ahead = 0;
      }
      // The client is done talking; what it asked for is still answered.
      await this.#fetching;
      this.#socket.end(() => this.end());
    } catch (error) {
      this.end(asVeracruzError(error, { layer: 'server' }));
    }
  }

  #fetch(): void {
    clearTimeout(this.#look);
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
          this.lastActive = performance.now();
          if (this.#ended) return;
        }
        const refusal = this.manager.takeRefusal();
        if (refusal !== undefined) throw refusal;
      }
      this.#lookLater();
    } catch (error) {
      // What the manager had is written; then the client sees the end that the manager made.
      const fault = error instanceof SessionUnknownError ? undefined : asVeracruzError(error, { layer: 'server' });
      this.#socket.end(() => this.end(fault));
    } finally {
      this.#fetching = undefined;
      this.#answering = false;
      if (inactive) this.#events.onInactive();
    }
  }

  /** A client on plain TCP cannot ask for output: the Server looks for it. */
  #lookLater(): void {
    if (this.#ended) return;
    this.#look = setTimeout(() => this.#fetch(), this.#lookDelay.next()).unref();
  }
}
