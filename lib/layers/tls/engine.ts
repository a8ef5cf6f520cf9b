import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
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
import type { HandshakeGate, Place } from './gate.js';
import type { TlsSettings } from './options.js';
import { PlaintextWriter } from './plaintext-writer.js';
import { ProgressGuard } from './progress.js';
import type { CipherSide, PlainSide } from './sides.js';
import type { Phase, TlsState } from './state.js';
import { Wire } from './wire.js';

/** Bytes of plaintext that are gathered into one chunk. */
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
 *     ciphertext (receive)      first record   kept         to OpenSSL    to OpenSSL                dropped
 *     mark below (digest)       goes on        kept         behind it     behind it                 dropped
 *     end of the pipe           fails          fails        fails         close_notify or a cut     -
 *     a place at the gate       -              handshake    -             -                         left at once
 *     secure (node:tls)         -              -            open, or      -                         socket destroyed
 *                                                           refused
 *     close_notify (node:tls)   -              -            -             inbound ends              -
 *     error, deadline           closed         closed       closed        closed                    -
 *     a Transform is destroyed  closed         closed       closed        closed                    -
 *
 * "Held" is one item: a Transform is given the next when this one is done. Whatever fails, fails once: the first cause is
 * reported, everything is destroyed, and node:tls, which reports some errors twice and destroys nothing after the handshake,
 * is listened to for ever.
 */
export class TlsEngine implements TlsState {
  readonly role: 'client' | 'server';
  readonly #endpoint: Endpoint;
  readonly #gate: HandshakeGate;
  readonly #settings: TlsSettings;
  readonly #progress: ProgressGuard;
  #phase: Phase = 'waiting';
  #out: CipherSide | undefined;
  #in: PlainSide | undefined;
  /** Transforms that have not ended yet. */
  #sides = 2;
  #wire: Wire | undefined;
  #socket: TLSSocket | undefined;
  #writer: PlaintextWriter | undefined;
  #place: Place | undefined;
  #deadline: NodeJS.Timeout | undefined;
  /** Silence of the peer in a handshake. */
  #stall: NodeJS.Timeout | undefined;
  /** What the client of a server has said while that is `waiting`. */
  #first: FirstRecord | undefined;
  /** Plaintext that came before the peer was admitted. */
  #held: (() => void) | undefined;
  /** Ciphertext that came before the handshake could start, and who waits for it to be taken. */
  #early: { readonly bytes: Buffer; readonly done: () => void } | undefined;
  #onOutboundEnd: (() => void) | undefined;
  #onInboundEnd: (() => void) | undefined;
  #inboundEnded = false;
  /** Plaintext of this turn, which goes on together. */
  #plains: Buffer[] = [];
  #plainBytes = 0;
  /** Plaintext has come whose mark has not: the ciphertext of now is that of a message, and the mark will say when it is over. */
  #messageOpen = false;
  /** Passes a mark on, when all that came before it is digested. */
  #onDigested: (() => void) | undefined;
  /** Ciphertext has gone out since some came in last. */
  #spoke = false;
  /** Why the session is over, until that is reported. */
  #fault: VeracruzError | undefined;
  #settling = false;

  peerEnd: TlsState['peerEnd'] = 'open';
  principal: number | undefined;
  certificate: X509Certificate | undefined;
  cipherSuite: string | undefined;
  heard = false;

  constructor(endpoint: Endpoint, gate: HandshakeGate, settings: TlsSettings) {
    this.role = settings.role;
    this.#endpoint = endpoint;
    this.#gate = gate;
    this.#settings = settings;
    this.#progress = new ProgressGuard(settings.maxIdleRecords, settings.maxIdleBytes);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** No plaintext waits to become ciphertext. */
  get outboundIdle(): boolean {
    return (this.#writer?.pending ?? 0) === 0 && (this.#wire?.writableLength ?? 0) === 0;
  }

  /** No ciphertext waits to become plaintext. */
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

  /** A client speaks first; a server costs nothing until it is spoken to. */
  #attached(): void {
    if (this.role === 'client' && this.#out !== undefined && this.#in !== undefined) this.#queue();
  }

  // ── Outbound ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Plaintext from the neighbour. It stays here until the peer is admitted. */
  send(chunk: Buffer, done: () => void): void {
    this.#messageOpen = true;
    if (this.#phase === 'open') this.#writer?.write(chunk, done);
    else if (this.#phase !== 'closed') this.#held = () => this.#writer?.write(chunk, done);
  }

  /** A mark from the neighbour: `done` comes when the ciphertext of all plaintext before it has been given. */
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
   * The neighbour is done: `done` comes when our close_notify has been given.
   *
   * node:tls calls SSL_shutdown twice, and the second call eats a record that OpenSSL has not decrypted yet. There is
   * such a record when we are called from within its reading loop, by `secure` or by whoever has just got plaintext.
   */
  end(done: () => void): void {
    const finish = () => {
      this.#onOutboundEnd = done;
      // Out of OpenSSL's reading loop, which we may have been called from.
      setImmediate(() => this.#socket?.end());
    };
    if (this.#phase === 'open') finish();
    else if (this.#phase !== 'closed') this.#held = finish;
  }

  /**
   * All that node:tls had to write. Where layers are below, its pieces (ten of about a record at most) go on as one: to copy
   * 160 KiB costs less than to take ten chunks through each.
   */
  #cipher(pieces: readonly Buffer[]): boolean {
    this.#spoke = true;
    // The alert of a session that has failed: that was all there is to say.
    if (this.#fault !== undefined) process.nextTick(() => this.#report());
    const out = this.#out as CipherSide;
    let room = true;
    for (const piece of pieces.length === 1 || out.aboveSocket ? pieces : [Buffer.concat(pieces)]) room = out.giveCipher(piece);
    // A flight of the handshake, an alert, a key update: the peer waits for it, and no message's mark will follow.
    if (this.#phase !== 'open' || !this.#messageOpen) out.giveFlush();
    return room;
  }

  /** The neighbour below has room for ciphertext. */
  released(): void {
    this.#wire?.release();
  }

  // ── Inbound ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Ciphertext from the neighbour. */
  receive(chunk: Buffer, done: () => void): void {
    // After its close_notify the peer has nothing to say.
    if (this.#phase === 'closed' || this.peerEnd !== 'open') done();
    else if (this.#wire !== undefined) this.#feed(chunk, done);
    else if (this.#phase === 'waiting') this.#greeted(chunk, done);
    else {
      const before = this.#early?.bytes;
      this.#early = { bytes: before === undefined ? chunk : Buffer.concat([before, chunk]), done };
    }
  }

  /** The first ciphertext at a server. The next may follow, or the end: one chunk behind the first record waits here at most. */
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
      clearTimeout(this.#deadline);
      this.#early = { bytes, done: () => {} };
      this.#queue();
    }
    done();
  }

  #feed(chunk: Buffer, done: () => void): void {
    const wire = this.#wire as Wire;
    this.#stall?.refresh();
    this.#progress.cipher(chunk);
    this.#spoke = false;
    wire.feed(chunk, done);
    this.#checkProgress();
  }

  #checkProgress(): void {
    // While plaintext waits for its reader, ciphertext waits too, and tells nothing.
    if (this.#phase !== 'open' || !this.inboundIdle) return;
    const fault = this.#progress.check();
    if (fault !== undefined) this.#fail(fault);
  }

  /** A mark from the neighbour: `done` comes when all ciphertext before it is digested, and the answer of TLS to it is out. */
  digest(done: () => void): void {
    if (this.#phase === 'closed') return;
    const early = this.#early;
    if (early !== undefined) {
      // What came before it has not been taken: the handshake waits for its place at the gate.
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
    // A close_notify that OpenSSL has had is told by node:tls in the next tick, and must not be overtaken.
    process.nextTick(done);
  }

  /** The byte pipe has ended. `done` comes when it is known what that means. */
  receiveEnd(done: () => void): void {
    if (this.peerEnd !== 'open') {
      done();
      return;
    }
    // A session that has failed has no end, even if its error is still on its way.
    if (this.#phase === 'closed') return;
    this.#inboundEnded = true;
    this.#onInboundEnd = done;
    if (this.#wire === undefined) this.#fail(new TlsHandshakeError('the byte pipe ended before the handshake', { layer: 'tls', got: 0 }));
    else this.#settle();
  }

  /** The neighbour above has room for plaintext. */
  thirsty(): void {
    const socket = this.#socket;
    if (this.#phase !== 'open' || socket === undefined) return;
    if (socket.isPaused()) socket.resume();
    this.#progressed();
  }

  /** Ciphertext was taken, or plaintext given: what waits for all of it may go on. */
  #progressed(): void {
    this.#checkDigested();
    this.#settle();
  }

  /**
   * After the end of the byte pipe, as soon as OpenSSL has had all of it: a close_notify among it has ended the TLS
   * socket by now. A turn of the event loop lets that come through.
   */
  #settle(): void {
    if (!this.#inboundEnded || this.#settling || this.peerEnd !== 'open') return;
    this.#settling = true;
    // A close_notify that OpenSSL has had is told by node:tls within this turn.
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
    // In TLS 1.3 the client is through before the server has judged it, and a refusal need not come with an alert.
    // A client that had ended its side and takes bare ends for ends may just have had no answer coming.
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
      const place = this.#gate.enter(() => this.#start());
      this.#place = place;
      // The handshake may have failed already, before there was a place to leave.
      if (this.phase === 'closed') place.leave();
    } catch (full) {
      this.#fail(full as VeracruzError);
    }
  }

  #start(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'handshake';
    this.#startDeadline();
    this.#stall = setTimeout(() => this.#place?.makeRoom(), this.#settings.handshakeStallMs);
    const wire = new Wire({
      cipher: (pieces) => this.#cipher(pieces),
      cipherEnd: () => this.#onOutboundEnd?.(),
      taken: () => this.#progressed(),
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
    if (early !== undefined) this.#feed(early.bytes, early.done);
  }

  #startDeadline(): void {
    const limit = this.#settings.handshakeTimeoutMs;
    this.#deadline = setTimeout(() => {
      this.#fail(new TlsHandshakeTimeoutError(`the TLS handshake was not over after ${limit} ms`, { layer: 'tls', limit }));
    }, limit);
  }

  /** The handshake is over. No plaintext has moved either way. */
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

  /** OpenSSL gives a record at a time, several of them in one turn: what came in a turn goes on as one chunk. */
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

  /** Expected when both directions are over; otherwise something below node:tls gave up. */
  #socketClosed(): void {
    if (this.#phase !== 'open' || (this.peerEnd !== 'open' && this.#onOutboundEnd !== undefined)) return;
    this.#fail(new TlsError('the TLS socket closed early', { layer: 'tls' }));
  }

  #leaveGate(): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#stall);
    this.#stall = undefined;
    this.#place?.leave();
  }

  // ── The end ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * node:tls has failed. The alert that tells the peer why goes out first: it is written by now, or in this turn. The
   * peer's own alert needs no answer, and what it does next must not be taken for the cause.
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
    // node:tls writes the alert within this turn; it must reach the pipe before that is destroyed.
    setImmediate(() => this.#report());
  }

  /** Ends the session for this reason, unless it is over already. */
  #fail(error: VeracruzError): void {
    if (this.#phase === 'closed') return;
    this.#close();
    this.#fault = error;
    // What was written last gets to the byte pipe before the pipe is destroyed.
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

  /** A Transform of ours is gone; `whole` when it had come to its end. */
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
  }

  #destroySockets(): void {
    this.#socket?.destroy();
    this.#wire?.destroy();
  }
}
