/** The same bytes as a Buffer, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A chunk as layers take it: a text as its bytes, a Uint8Array as a Buffer, without a copy. Any other chunk is unchanged. */
export function layerChunk<In>(chunk: In, encoding: BufferEncoding): In {
  if (Buffer.isBuffer(chunk)) return chunk;
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding) as In;
  return chunk instanceof Uint8Array ? (asBuffer(chunk) as unknown as In) : chunk;
}
