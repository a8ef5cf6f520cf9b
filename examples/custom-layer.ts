/**
 * A layer of your own, `length u32 │ crc32 u32 │ bytes`, put between the length prefix and TLS.
 *
 *     node dist/examples/custom-layer.js
 */
import { crc32 } from 'node:zlib';
import { type Codec, layerOf, lengthPrefix, memoryPipe, stack, tls, VeracruzError } from 'veracruz-streams';
import { type ByteChunk, ByteQueue } from 'veracruz-streams/core';
import { makeCertificates } from './support/certificates.js';

// A codec is one direction: it is fed by push(), and next() is asked until it says undefined ("I need more").
class ChecksumEncoder implements Codec<ByteChunk, ByteChunk> {
  readonly #out: ByteChunk[] = [];
  push(chunk: ByteChunk): void {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(chunk.length, 0);
    head.writeUInt32BE(crc32(chunk), 4);
    this.#out.push(head, chunk);
  }
  next = (): ByteChunk | undefined => this.#out.shift();
  end(): void {}
}

class ChecksumDecoder implements Codec<ByteChunk, ByteChunk> {
  readonly #queue = new ByteQueue(); // input may be cut anywhere: the queue puts it together again
  push = (chunk: ByteChunk): void => this.#queue.push(chunk);
  next(): ByteChunk | undefined {
    if (this.#queue.length < 8) return undefined;
    const length = this.#queue.peek(8).readUInt32BE(0);
    if (length > MAX_CHUNK_BYTES) throw new VeracruzError('chunk too large', { limit: MAX_CHUNK_BYTES, got: length });
    if (this.#queue.length < 8 + length) return undefined;
    const expected = this.#queue.take(8).readUInt32BE(4);
    const chunk = this.#queue.take(length);
    if (crc32(chunk) !== expected) throw new VeracruzError('checksum differs', { expected, got: crc32(chunk) });
    return chunk;
  }
  end(): void {
    if (this.#queue.length > 0) throw new VeracruzError('ended inside a chunk', { got: this.#queue.length });
  }
}

const MAX_CHUNK_BYTES = 1024 * 1024;
const checksum = layerOf<ByteChunk, ByteChunk>({
  name: 'checksum',
  limits: { maxChunkBytes: MAX_CHUNK_BYTES },
  encoder: () => new ChecksumEncoder(),
  decoder: () => new ChecksumDecoder(),
});

const { authority, manager, client } = makeCertificates();
const [left, right] = memoryPipe();
const prefix = lengthPrefix({ deliver: 'whole' });
const sending = stack(prefix, checksum, tls({ role: 'client', ...client, authority }));
const receiving = stack(prefix, checksum, tls({ role: 'server', ...manager, identities: [client.certificate] }));
console.log(sending.describe());

const receiver = receiving.over(right);
receiver.on('data', (message: Buffer) => console.log(`got: ${message.toString()}`)).on('end', () => receiver.end());
sending.over(left).resume().end(Buffer.from('checked on the way'));
