/**
 * What is in captured bytes: the body of a client's POST down to its TLS records, and what went over the link between
 * Server and Runtime Manager. Each layer is a pair of plain Node Transforms: one direction of one is all it takes.
 *
 *     node dist/examples/decode-a-body.js [body [link-in-hex]]
 */
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { base64, bincode, frame, session } from 'veracruz-streams';
import { BOUNDARY } from 'veracruz-streams/core';
import { type BincodeReceived, RecordEncoder, sliceBytes } from 'veracruz-streams/layers';

const capture = (name: string) => new URL(`../../examples/captures/${name}`, import.meta.url);
const RECORD_TYPES: Readonly<Record<number, string>> = { 20: 'change_cipher_spec', 21: 'alert', 22: 'handshake', 23: 'application_data' };

// <id> <base64>  →  ciphertext  →  TLS records. A codec works without a stream, too: feed it, then ask until it has no more.
const body = readFileSync(process.argv[2] ?? capture('post-body.txt'));
console.log(`a body of ${body.length} bytes`);
const layer = session({ end: 'server', onId: (id) => console.log(`session ${id}`) });
const cutter = new RecordEncoder();
let record: Buffer[] = [];
for await (const chunk of Readable.from([body]).pipe(layer.inbound()).pipe(base64().inbound())) {
  if (!Buffer.isBuffer(chunk)) continue; // the mark after a text
  cutter.push(chunk);
  for (let item = cutter.next(); item !== undefined; item = cutter.next()) {
    if (item !== BOUNDARY) {
      record.push(item);
      continue;
    }
    const head = Buffer.concat(record).subarray(0, 5);
    console.log(`  ${RECORD_TYPES[head.readUInt8(0)]}, version 0x${head.toString('hex', 1, 3)}, ${head.readUInt16BE(3)} bytes`);
    record = [];
  }
}

// Frames  →  bincode messages. Errors of a pipe() chain stay where they are: listen to each stream that can fail.
const link = Buffer.from(readFileSync(process.argv[3] ?? capture('link.hex'), 'latin1').replaceAll('\n', ''), 'hex');
console.log(`a link dump of ${link.length} bytes`);
const failed = (error: Error) => console.error(`${(error as Error & { layer?: string }).layer}: ${error.message}`);
const messages = Readable.from([link])
  .pipe(frame('tcp9').inbound().on('error', failed))
  .pipe(bincode({ dialect: '2207', sends: 'response', receives: 'request' }).inbound().on('error', failed));

for await (const item of messages) {
  const message = item as BincodeReceived<'request'>;
  const of = 'session' in message ? ` of session ${message.session}` : '';
  const data = message.kind === 'SendTlsData' ? `: ${sliceBytes(message.data)} bytes` : '';
  console.log(`  ${message.kind}${of}${data}`);
}
