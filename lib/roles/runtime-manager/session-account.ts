import { clock, type Timer } from '../../core/clock.js';
import type { BusyError, VeracruzError } from '../../core/errors.js';
import type { IncomingBody } from '../../layers/protobuf/index.js';
import type { Accounts, Member } from './accounts.js';
import { HeldStatus } from './held-status.js';

/**
 * Bytes of ciphertext of an upload beyond which the Status of SendTlsData is held back until the store has caught up: the
 * Server must not bring an upload faster than the store takes it.
 */
const HOLD_BACKLOG_BYTES = 8 * 1024 * 1024;
/** Milliseconds that a session may stay whose principal has too many. It is to fetch the answer that says so. */
const REFUSED_MS = 10_000;

/** What the account needs to know about its session. */
export interface AccountedSession {
  /** Whose session it is, as soon as TLS has told. */
  principal(): number | undefined;
  /** Bytes of ciphertext that wait. */
  backlogBytes(): number;
  /** The file in the request that is being answered; it may still be arriving. */
  body(): IncomingBody | undefined;
  /** Ends the session. */
  destroy(reason: VeracruzError): void;
}

/** One session in the account of its principal: what waits for it is counted there, and may make its sender wait. */
export class SessionAccount implements Member {
  readonly #accounts: Accounts;
  readonly #session: AccountedSession;
  readonly #held: HeldStatus;
  /** The principal in whose account the session is. */
  #principal: number | undefined;
  /** Bytes that the account has been told of. */
  #bytes = 0;
  #refusal: BusyError | undefined;
  #refusedFor: Timer | undefined;
  /** The session counts no more. */
  #left = false;

  constructor(accounts: Accounts, session: AccountedSession) {
    this.#accounts = accounts;
    this.#session = session;
    this.#held = new HeldStatus({
      mustWait: () => this.#mustWait(),
      progress: () => session.body()?.received ?? -1,
      onLimit: (inVain) => {
        if (this.#principal !== undefined && inVain) accounts.heldInVain(this.#principal);
        this.#relieve();
      },
    });
  }

  /** The principal has too many sessions: this one carries out nothing. */
  get refusal(): BusyError | undefined {
    return this.#refusal;
  }

  /** Bytes that are counted for this session. */
  get waitingBytes(): number {
    return this.#bytes;
  }

  /** As a `Member`: it has too much waiting. */
  destroy(reason: VeracruzError): void {
    this.#session.destroy(reason);
  }

  /** Tells the account what waits now; joins it first, where TLS has told whose session this is. */
  update(): void {
    if (this.#left) return;
    if (this.#principal === undefined && this.#refusal === undefined) this.#join();
    if (this.#principal === undefined) return;
    const change = this.#session.backlogBytes() - this.#bytes;
    this.#bytes += change;
    this.#accounts.add(this.#principal, change);
    if (change < 0) this.#held.check();
  }

  /**
   * More has come. When its sender is to wait, gives a promise that settles when it has waited. What is too much and moves
   * nowhere costs the principal a session.
   */
  taken(): Promise<void> | undefined {
    this.update();
    if (this.#mustWait()) return this.#held.hold();
    if (this.#tooMuch) this.#relieve();
    return undefined;
  }

  /** Requests of other sessions wait behind the sender. */
  hurry(): void {
    this.#held.hurry();
  }

  /** Whether the sender has to wait may have changed. */
  check(): void {
    this.#held.check();
  }

  /** The session is over: nothing waits for it any more. */
  leave(): void {
    this.#left = true;
    this.#held.release();
    clock.clear(this.#refusedFor);
    if (this.#principal === undefined) return;
    this.#accounts.add(this.#principal, -this.#bytes);
    this.#bytes = 0;
    this.#accounts.leave(this.#principal, this);
    this.#principal = undefined;
  }

  /** Whether the Status of SendTlsData is held back now: the store takes the upload, and too much of it waits. */
  #mustWait(): boolean {
    const body = this.#session.body();
    // A body that nobody has begun to read waits for another one, such as for its turn to append.
    const taking = body?.readableDidRead === true && !body.complete && !body.destroyed;
    if (!taking || this.#principal === undefined || !this.#tooMuch || !this.#accounts.mayHold(this.#principal)) return false;
    return this.#session.backlogBytes() > HOLD_BACKLOG_BYTES || this.#accounts.over(this.#principal);
  }

  get #tooMuch(): boolean {
    return this.#session.backlogBytes() > this.#accounts.freeBytes;
  }

  #relieve(): void {
    if (this.#principal !== undefined && this.#accounts.over(this.#principal)) this.#accounts.relieve(this.#principal);
  }

  #join(): void {
    const principal = this.#session.principal();
    if (principal === undefined) return;
    try {
      this.#accounts.join(principal, this);
      this.#principal = principal;
    } catch (error) {
      const refusal = error as BusyError;
      this.#refusal = refusal;
      this.#refusedFor = clock.setTimeout(() => this.#session.destroy(refusal), REFUSED_MS).unref();
    }
  }
}
