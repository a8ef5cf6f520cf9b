/** The two Transforms of the layer. They only pass calls on; the engine does the work. */
import type { TransformCallback } from 'node:stream';
import { layerChunk } from '../../core/as-buffer.js';
import type { Connection } from '../../core/connection.js';
import { InvalidArgumentError, type VeracruzError } from '../../core/errors.js';
import { LayerStream } from '../../core/layer-stream.js';
import { type ByteChunk, type CipherChunk, FLUSH, isMark } from '../../core/unit.js';
import type { TlsEngine } from './engine.js';
import type { CipherSide, PlainSide } from './sides.js';

/**
 * Plaintext in, ciphertext out. A mark is passed on after the ciphertext of all plaintext before it. Ends with close_notify.
 *
 * @see TlsDecryptor
 */
export class TlsEncryptor extends LayerStream<ByteChunk, CipherChunk> implements CipherSide {
  readonly #engine: TlsEngine;

  constructor(layer: string, engine: TlsEngine, connection: Connection) {
    super(layer, connection);
    this.#engine = engine;
    engine.attachOutbound(this);
  }

  override get idle(): boolean {
    return super.idle && this.#engine.outboundIdle;
  }

  giveCipher(chunk: Buffer): boolean {
    return this.destroyed || this.give(chunk);
  }

  giveFlush(): void {
    if (this.connection?.inStack === true && !this.destroyed) this.pass(FLUSH);
  }

  fail(error: VeracruzError): boolean {
    if (this.destroyed) return false;
    this.destroy(this.fault(error));
    return true;
  }

  override _transform(given: ByteChunk, encoding: BufferEncoding, done: TransformCallback): void {
    const chunk = layerChunk(given, encoding);
    if (isMark(chunk)) {
      this.#engine.flush(() => {
        this.pass(chunk);
        done();
      });
      return;
    }
    if (!Buffer.isBuffer(chunk)) {
      done(this.fault(new InvalidArgumentError(`tls takes bytes, got ${typeof chunk}`, { expected: 'Buffer', got: typeof chunk })));
      return;
    }
    this.count(chunk);
    this.#engine.send(chunk, done);
  }

  override _flush(done: TransformCallback): void {
    this.#engine.end(done);
  }

  override _read(size: number): void {
    super._read(size);
    this.#engine.released();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#engine.gone(error === null && this.readableEnded && this.writableFinished);
    super._destroy(error, done);
  }
}

/**
 * Ciphertext in, plaintext out. A mark is passed on after the plaintext of all ciphertext before it, and after what OpenSSL
 * answers to that ciphertext has gone out below. Ends at the peer's close_notify. Every error of the session is raised here.
 *
 * @see TlsEncryptor
 */
export class TlsDecryptor extends LayerStream<CipherChunk, ByteChunk> implements PlainSide {
  readonly #engine: TlsEngine;
  /** The peer's close_notify has come, and the end was given. */
  #ended = false;

  constructor(layer: string, engine: TlsEngine, connection: Connection) {
    super(layer, connection);
    this.#engine = engine;
    engine.attachInbound(this);
  }

  override get idle(): boolean {
    return super.idle && this.#engine.inboundIdle;
  }

  givePlain(chunk: Buffer): boolean {
    return this.give(chunk);
  }

  endPlain(): void {
    this.#ended = true;
    if (!this.destroyed) this.push(null);
  }

  fail(error: VeracruzError): boolean {
    if (this.destroyed) return false;
    this.destroy(this.fault(error));
    return true;
  }

  override _transform(given: CipherChunk, encoding: BufferEncoding, done: TransformCallback): void {
    const chunk = layerChunk(given, encoding);
    if (isMark(chunk)) {
      this.#engine.digest(() => {
        if (!this.#ended) this.pass(chunk);
        done();
      });
      return;
    }
    if (!Buffer.isBuffer(chunk)) {
      done(this.fault(new InvalidArgumentError(`tls takes bytes, got ${typeof chunk}`, { expected: 'Buffer', got: typeof chunk })));
      return;
    }
    this.count(chunk);
    this.#engine.receive(chunk, done);
  }

  override _flush(done: TransformCallback): void {
    this.#engine.receiveEnd(done);
  }

  override _read(size: number): void {
    super._read(size);
    this.#engine.thirsty();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#engine.gone(error === null && this.readableEnded && this.writableFinished);
    super._destroy(error, done);
  }
}
