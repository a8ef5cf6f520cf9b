import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { clock, type Timer } from '../../core/clock.js';
import {
  PeerRejectedError,
  TlsError,
  TlsHandshakeError,
  TlsHandshakeTimeoutError,
  TlsTruncatedError,
  type VeracruzError,
} from '../../core/errors.js';
import type { Endpoint } from './endpoint.js';
import { tlsFault, verdictOf } from './faults.js';
import { FirstRecord } from './first-record.js';
import { Flight } from './flight.js';
import type { HandshakeGate, Place } from './gate.js';
import type { TlsSettings } from './options.js';
import { PlaintextWriter } from './plaintext-writer.js';
import { ProgressGuard } from './progress.js';
import type { CipherSide, PlainSide } from './sides.js';
import type { Phase, TlsState } from './state.js';
import { Wire } from './wire.js';

/** Bytes of plaintext that are collected into one chunk. */
const PLAIN_BYTES = 262_144;

/**
 * One TLS session between the two Transforms of the layer:
 *
 *      plaintext                                    plaintext
 *          │ send                                       ▲ givePlain
 *      ┌───▼────────────── TLS socket ──────────────────┴───┐
 *      │                      Wire                          │
 *      └───┬────────────────────────────────────────────▲───┘
 *          ▼ giveCipher                                 │ receive
 *      ciphertext                                   ciphertext
 *
 * What happens next is a function of the phase:
 *
 *     phase      means                                          leaves to
 *     waiting    a client: until both Transforms are there;     queued
 *                a server: until the first record is whole
 *     queued     waits for a place at the gate                  handshake
 *     handshake  TLS runs; its deadline too                     open, when the peer is admitted
 *     open       plaintext flows
 *     closed     over, one way or another
 *
 *     event                     waiting        queued       handshake     open                      closed
 *     plaintext (send)          held           held         held          to OpenSSL                dropped
 *     mark (flush)              held           held         held          goes on behind it         dropped
 *     our end (end)             held           held         held          close_notify              dropped
 *     ciphertext (receive)      first record   kept         in its turn   to OpenSSL                dropped
 *     mark below (digest)       goes on        kept         behind it     behind it                 dropped
 *     end of the pipe           fails          fails        fails         close_notify or a cut     -
 *     a place at the gate       -              handshake    -             -                         left at once
 *     the gate needs room       -              closed       closed        -                         -
 *     secure (node:tls)         -              -            open, or      -                         socket destroyed
 *                                                           refused
 *     close_notify (node:tls)   -              -            -             inbound ends              -
 *     error, deadline           closed         closed       closed        closed                    -
 *     a Transform is destroyed  closed         closed       closed        closed                    -
 *
 * "In its turn": a step of the handshake waits for its turn at the gate, and what the client sends is bounded (`Flight`).
 *
 * "Held" is one item: a Transform gets its next item when the current one is done. A session fails only once: its first error
 * is reported, and everything is destroyed. The `error` listeners on node:tls stay for good, because node:tls reports some
 * errors twice, and destroys nothing after the handshake.
 */
export class TlsEngine implements TlsState {
  readonly role: 'client' | 'server';
  readonly #endpoint: Endpoint;
  readonly #gate: HandshakeGate;
  readonly #settings: TlsSettings;
  readonly #progress: ProgressGuard;
  readonly #origin: string;
  #phase: Phase = 'waiting';
  #out: CipherSide | undefined;
  #in: PlainSide | undefined;
  /** Number of Transforms that have not ended yet. */
  #sides = 2;
  #wire: Wire | undefined;
  #socket: TLSSocket | undefined;
  #writer: PlaintextWriter | undefined;
  #place: Place | undefined;
  #deadline: Timer | undefined;
  /** The first bytes of the client, while a server is `waiting`. */
  #first: FirstRecord | undefined;
  /** At a server: bounds what the client sends until it is admitted. */
  #flight: Flight | undefined;
  /** What is not within these bounds, and the callback for it, until it is clear whether the client is admitted before it. */
  #beyond: { readonly bytes: Buffer; readonly done: () => void } | undefined;
  /** The item from above that came before the peer was admitted. */
  #held: (() => void) | undefined;
  /** Ciphertext that came before the handshake could start, and the callback for it. */
  #early: { readonly bytes: Buffer; readonly done: () => void } | undefined;
  #onOutboundEnd: (() => void) | undefined;
  #onInboundEnd: (() => void) | undefined;
  #inboundEnded = false;
  /** Plaintext of the current tick, which is given as one chunk. */
  #plains: Buffer[] = [];
  #plainBytes = 0;
  /** Plaintext has come, but not the mark behind it. Ciphertext belongs to that message until the mark has passed. */
  #messageOpen = false;
  /** Passes a mark on when all ciphertext before the mark is digested. */
  #onDigested: (() => void) | undefined;
  /** Ciphertext has gone out since the last ciphertext came in. */
  #spoke = false;
  /** The error that ended the session, until it is reported. */
  #fault: VeracruzError | undefined;
  #settling = false;

  peerEnd: TlsState['peerEnd'] = 'open';
  principal: number | undefined;
  certificate: X509Certificate | undefined;
  cipherSuite: string | undefined;
  heard = false;

  /** @param origin whom the handshake is counted for at the gate */
  constructor(endpoint: Endpoint, gate: HandshakeGate, settings: TlsSettings, origin = '') {
    this.role = settings.role;
    this.#origin = origin;
    if (settings.role === 'server') this.#flight = new Flight(settings.maxHandshakeBytes);
    this.#endpoint = endpoint;
    this.#gate = gate;
    this.#settings = settings;
    this.#progress = new ProgressGuard(settings.maxIdleRecords, settings.maxIdleBytes);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** No plaintext is left that must become ciphertext. */
  get outboundIdle(): boolean {
    return (this.#writer?.pending ?? 0) === 0 && (this.#wire?.writableLength ?? 0) === 0;
  }

  /** No ciphertext is left that must become plaintext. */
  get inboundIdle(): boolean {
    return this.#plainBytes === 0 && (this.#socket?.readableLength ?? 0) === 0 && (this.#wire?.readableLength ?? 0) === 0;
  }

  attachOutbound(side: CipherSide): void {
    this.#out = side;
    this.#attached();
  }

  attachInbound(side: PlainSide): void {
    this.#in = side;
    this.#attached();
  }

  /** A client begins its handshake here. A server waits for its client, and uses no resources until then. */
  #attached(): void {
    if (this.role === 'client' && this.#out !== undefined && this.#in !== undefined) this.#queue();
  }

  // ── Outbound ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Plaintext from the neighbour above. It is held until the peer is admitted. */
  send(chunk: Buffer, done: () => void): void {
    this.#messageOpen = true;
    if (this.#phase === 'open') this.#writer?.write(chunk, done);
    else if (this.#phase !== 'closed') this.#held = () => this.#writer?.write(chunk, done);
  }

  /** A mark from the neighbour above. `done` is called when the ciphertext of all plaintext before the mark was given. */
  flush(done: () => void): void {
    const flush = () =>
      this.#writer?.flush(() => {
        this.#messageOpen = false;
        done();
      });
    if (this.#phase === 'open') flush();
    else if (this.#phase !== 'closed') this.#held = flush;
  }

  /**
   * The neighbour above has ended. `done` is called when our close_notify was given.
   *
   * node:tls calls SSL_shutdown twice, and the second call loses a record that OpenSSL has not decrypted yet. There is such a
   * record if this method is called from within the reading loop of node:tls: by `secure`, or by a reader of the plaintext.
   */
  end(done: () => void): void {
    const finish = () => {
      this.#onOutboundEnd = done;
      // This method may have been called from within OpenSSL's reading loop, which must be left first.
      setImmediate(() => this.#socket?.end());
    };
    if (this.#phase === 'open') finish();
    else if (this.#phase !== 'closed') this.#held = finish;
  }

  /**
   * The ciphertext of one write by node:tls. If there are layers below, its pieces (ten at most, about a record each) are
   * joined: to copy 160 KiB costs less than to pass ten chunks through each layer.
   */
  #cipher(pieces: readonly Buffer[]): boolean {
    this.#spoke = true;
    // The session has failed, and this is its alert. Nothing more will be sent, so the failure can be reported.
    if (this.#fault !== undefined) process.nextTick(() => this.#report());
    const out = this.#out as CipherSide;
    let room = true;
    for (const piece of pieces.length === 1 || out.aboveSocket ? pieces : [Buffer.concat(pieces)]) room = out.giveCipher(piece);
    // A flight of the handshake, an alert or a key update: the peer waits for it, and no mark of a message will follow.
    if (this.#phase !== 'open' || !this.#messageOpen) out.giveFlush();
    return room;
  }

  /** The neighbour below has room for ciphertext again. */
  released(): void {
    this.#wire?.release();
  }

  // ── Inbound ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Ciphertext from the neighbour below. */
  receive(chunk: Buffer, done: () => void): void {
    // After its close_notify the peer has nothing more to say.
    if (this.#phase === 'closed' || this.peerEnd !== 'open') done();
    else if (this.#phase === 'open') this.#feed(chunk, done);
    else if (this.#phase === 'handshake') this.#inTurn(() => this.#step(chunk, done));
    else if (this.#phase === 'waiting') this.#greeted(chunk, done);
    else {
      const before = this.#early?.bytes;
      this.#early = { bytes: before === undefined ? chunk : Buffer.concat([before, chunk]), done };
    }
  }

  /** The first ciphertext at a server. `done` is called at once: at most one chunk behind the first record waits here. */
  #greeted(chunk: Buffer, done: () => void): void {
    if (this.#first === undefined) {
      this.#first = new FirstRecord();
      this.#startDeadline();
    }
    let bytes: Buffer | undefined;
    try {
      bytes = this.#first.push(chunk);
    } catch (refusal) {
      this.#fail(refusal as VeracruzError);
      return;
    }
    if (bytes !== undefined) {
      clock.clear(this.#deadline);
      this.#early = { bytes, done: () => {} };
      this.#queue();
    }
    done();
  }

  /** At a server, which strangers send to. A client has a server of its own choice, whose alert must not be late. */
  #inTurn(step: () => void): void {
    if (this.role === 'client') step();
    else this.#place?.turn(step);
  }

  #step(chunk: Buffer, done: () => void): void {
    if (this.#phase === 'closed') return;
    const fits = this.#flight?.fits(chunk) ?? chunk.length;
    if (fits === chunk.length) {
      this.#feed(chunk, done);
      return;
    }
    this.#beyond = { bytes: chunk.subarray(fits), done };
    if (fits > 0) this.#feed(chunk.subarray(0, fits), () => {});
    this.#judgeFlight();
  }

  /** OpenSSL has what is within the bounds of a handshake, and there is more. It is plaintext if that ended the handshake. */
  #judgeFlight(): void {
    const beyond = this.#beyond;
    if (beyond === undefined) return;
    if (this.#phase === 'open') {
      this.#beyond = undefined;
      this.#feed(beyond.bytes, beyond.done);
    } else if (this.#wire?.readableLength === 0) this.#fail((this.#flight as Flight).fault());
  }

  #feed(chunk: Buffer, done: () => void): void {
    const wire = this.#wire as Wire;
    this.#progress.cipher(chunk);
    this.#spoke = false;
    try {
      wire.feed(chunk, done);
    } catch (thrown) {
      // node:tls has taken the session for failed within this turn, and OpenSSL has gone on with it: plaintext for a socket that
      // is destroyed throws. If node:tls does not tell why it failed, then this is why.
      this.#afterTurn(() => this.#failed(thrown as Error, undefined));
      return;
    }
    this.#checkProgress();
  }

  #checkProgress(): void {
    // While plaintext waits for its reader, ciphertext waits too, so the count would say nothing about the peer.
    if (this.#phase !== 'open' || !this.inboundIdle) return;
    const fault = this.#progress.check();
    if (fault !== undefined) this.#fail(fault);
  }

  /** A mark from below. `done` is called when all ciphertext before it is digested, and TLS has sent what it answers to it. */
  digest(done: () => void): void {
    if (this.#phase === 'closed') return;
    const early = this.#early;
    if (early !== undefined) {
      // The ciphertext before the mark was not taken yet: the handshake waits for its place at the gate.
      const taken = () => {
        early.done();
        this.digest(done);
      };
      this.#early = { bytes: early.bytes, done: taken };
      return;
    }
    this.#givePlain();
    this.#onDigested = done;
    this.#checkDigested();
  }

  #checkDigested(): void {
    const done = this.#onDigested;
    if (done === undefined || this.#phase === 'closed' || !this.inboundIdle || this.#wire?.writing === true) return;
    this.#onDigested = undefined;
    // If OpenSSL has read a close_notify, node:tls reports it in the next tick. The mark must not overtake it.
    process.nextTick(done);
  }

  /** The byte pipe has ended. `done` is called when it is clear what that means. */
  receiveEnd(done: () => void): void {
    if (this.peerEnd !== 'open') {
      done();
      return;
    }
    // A session that has failed ends with its error, even if the error is not reported yet.
    if (this.#phase === 'closed') return;
    this.#inboundEnded = true;
    this.#onInboundEnd = done;
    if (this.#wire === undefined) this.#fail(new TlsHandshakeError('the byte pipe ended before the handshake', { layer: 'tls', got: 0 }));
    else this.#settle();
  }

  /** The neighbour above has room for plaintext again. */
  thirsty(): void {
    const socket = this.#socket;
    if (this.#phase !== 'open' || socket === undefined) return;
    if (socket.isPaused()) socket.resume();
    this.#progressed();
  }

  #taken(): void {
    this.#progressed();
    // This is called from within OpenSSL's reading loop, which must be left first.
    if (this.#beyond !== undefined) process.nextTick(() => this.#judgeFlight());
  }

  /** Ciphertext was taken or plaintext was given. A mark or an end that waited for that may go on. */
  #progressed(): void {
    this.#checkDigested();
    this.#settle();
  }

  /**
   * Decides what the end of the byte pipe means, once OpenSSL has read everything. If that included a close_notify, node:tls
   * reports it within one turn of the event loop. So this waits for one turn.
   */
  #settle(): void {
    if (!this.#inboundEnded || this.#settling || this.peerEnd !== 'open') return;
    this.#settling = true;
    // If OpenSSL has read a close_notify, node:tls reports it within this turn.
    setImmediate(() => {
      this.#settling = false;
      if (this.#phase === 'closed' || this.peerEnd !== 'open' || !this.inboundIdle) return;
      if (this.#phase === 'open') this.#truncated();
      else this.#fail(new TlsHandshakeError('the byte pipe ended inside the handshake', { layer: 'tls' }));
    });
  }

  #truncated(): void {
    this.peerEnd = 'truncated';
    const strict = this.#settings.truncation === 'error';
    // In TLS 1.3 the client's handshake is over before the server has checked the client, and a server may refuse without an
    // alert. With `report`, a client that has ended its own side may just not have been due an answer: no error then.
    if (this.role === 'client' && !this.heard && (strict || this.#onOutboundEnd === undefined)) {
      this.#fail(new PeerRejectedError('the server ended the session before its first byte', { layer: 'tls', got: 0 }));
    } else if (strict) {
      this.#fail(new TlsTruncatedError('the byte pipe ended without close_notify', { layer: 'tls', expected: 'close_notify', got: 'end' }));
    } else this.#endInbound();
  }

  #endInbound(): void {
    const done = this.#onInboundEnd;
    this.#onInboundEnd = undefined;
    this.#in?.endPlain();
    done?.();
  }

  // ── Handshake ───────────────────────────────────────────────────────────────────────────────────────────────────

  #queue(): void {
    this.#phase = 'queued';
    try {
      const place = this.#gate.enter({ key: this.#origin, start: () => this.#start(), end: (reason) => this.#fail(reason) });
      this.#place = place;
      // The handshake may have failed within `enter`, before there was a place to leave.
      if (this.phase === 'closed') place.leave();
    } catch (full) {
      this.#fail(full as VeracruzError);
    }
  }

  #start(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'handshake';
    this.#startDeadline();
    const wire = new Wire({
      cipher: (pieces) => this.#cipher(pieces),
      cipherEnd: () => this.#onOutboundEnd?.(),
      taken: () => this.#taken(),
      written: () => this.#checkDigested(),
    });
    wire.on('error', (error) => this.#failed(error, undefined));
    this.#wire = wire;
    try {
      this.#endpoint.open(wire, { secure: (socket) => this.#secure(socket), failed: (error, socket) => this.#failed(error, socket) });
      wire.watch();
    } catch (thrown) {
      this.#failed(thrown as Error, undefined);
    }
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) this.#step(early.bytes, early.done);
  }

  #startDeadline(): void {
    const limit = this.#settings.handshakeTimeoutMs;
    this.#deadline = clock.setTimeout(() => {
      this.#fail(new TlsHandshakeTimeoutError(`the TLS handshake was not over after ${limit} ms`, { layer: 'tls', limit }));
    }, limit);
  }

  /** The handshake is over. No plaintext has moved in either direction yet. */
  #secure(socket: TLSSocket): void {
    if (this.#phase !== 'handshake') {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    try {
      const { certificate, principal } = this.#endpoint.admit(socket);
      this.certificate = certificate;
      this.principal = principal;
    } catch (refusal) {
      this.#fail(refusal as VeracruzError);
      return;
    }
    this.cipherSuite = socket.getCipher().standardName;
    this.#leaveGate();
    this.#phase = 'open';
    this.#progress.reset();
    this.#writer = new PlaintextWriter(socket, () => this.#wire?.given ?? 0);
    socket.on('data', (chunk: Buffer) => this.#plain(chunk));
    socket.on('end', () => this.#closeNotify());
    socket.on('close', () => this.#socketClosed());
    const held = this.#held;
    this.#held = undefined;
    held?.();
  }

  /** OpenSSL gives one record at a time, and several in one tick. Their plaintext is given as one chunk. */
  #plain(chunk: Buffer): void {
    if (this.#phase !== 'open') return;
    this.heard = true;
    this.#progress.reset();
    this.#plainBytes += chunk.length;
    if (this.#plains.push(chunk) === 1) process.nextTick(() => this.#givePlain());
    else if (this.#plainBytes >= PLAIN_BYTES) this.#givePlain();
  }

  #givePlain(): void {
    const chunks = this.#plains;
    if (chunks.length === 0 || this.#phase !== 'open') return;
    const chunk = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, this.#plainBytes);
    this.#plains = [];
    this.#plainBytes = 0;
    if (!(this.#in as PlainSide).givePlain(chunk)) (this.#socket as TLSSocket).pause();
    this.#progressed();
  }

  #closeNotify(): void {
    this.#givePlain();
    if (this.#phase !== 'open' || this.peerEnd !== 'open') return;
    this.peerEnd = 'close_notify';
    this.#endInbound();
  }

  /** Expected when both directions have ended. Otherwise something below node:tls has failed. */
  #socketClosed(): void {
    if (this.#phase !== 'open' || (this.peerEnd !== 'open' && this.#onOutboundEnd !== undefined)) return;
    this.#fail(new TlsError('the TLS socket closed early', { layer: 'tls' }));
  }

  #leaveGate(): void {
    clock.clear(this.#deadline);
    this.#place?.leave();
  }

  // ── The end ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * node:tls has failed. The alert that tells the peer why must go out first: it was written already, or will be in this turn.
   * An alert of the peer needs no answer. What the peer does after this must not be reported as the cause.
   */
  #failed(error: Error, socket: TLSSocket | undefined): void {
    if (this.#phase === 'closed') return;
    const fault = tlsFault(error, { role: this.role, open: this.#phase === 'open', heard: this.heard, verdict: verdictOf(socket) });
    this.#socket ??= socket;
    if (this.#spoke || String(fault.got).includes('_ALERT_')) {
      this.#fail(fault);
      return;
    }
    this.#close();
    this.#fault = fault;
    // The alert must reach the pipe before the pipe is destroyed.
    this.#afterTurn(() => this.#report());
  }

  /** When node:tls has done what it does about a failure. */
  #afterTurn(report: () => void): void {
    // node:tls tells why a session has failed, and writes the alert, within this turn.
    setImmediate(report);
  }

  /** Ends the session with this error, unless it is over already. */
  #fail(error: VeracruzError): void {
    if (this.#phase === 'closed') return;
    this.#close();
    this.#fault = error;
    // What was written last must reach the byte pipe before the pipe is destroyed.
    process.nextTick(() => this.#report());
  }

  #report(): void {
    const fault = this.#fault;
    if (fault === undefined) return;
    this.#fault = undefined;
    this.#destroySockets();
    if (this.#in?.fail(fault)) this.#out?.destroy();
    else this.#out?.fail(fault);
  }

  /** One of the two Transforms is destroyed. `whole` is true when it had ended before. */
  gone(whole: boolean): void {
    this.#sides--;
    if (whole && this.#sides > 0) return;
    this.#close();
    this.#destroySockets();
    if (whole) return;
    this.#in?.destroy();
    this.#out?.destroy();
  }

  #close(): void {
    this.#phase = 'closed';
    this.#leaveGate();
    this.#held = undefined;
    this.#onDigested = undefined;
    this.#writer?.forget();
    this.#first = undefined;
    this.#early = undefined;
    this.#beyond = undefined;
  }

  #destroySockets(): void {
    this.#socket?.destroy();
    this.#wire?.destroy();
  }
}
