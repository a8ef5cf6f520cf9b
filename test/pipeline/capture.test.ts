/** Captures: packets whose headers, checksums and bytes are right, for tshark and by hand. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { lengthPrefix } from '../../lib/layers/frame/index.js';
import { tls } from '../../lib/layers/tls/index.js';
import type { LayerTraffic } from '../../lib/pipeline/diagnostics.js';
import { stack } from '../../lib/pipeline/stack.js';
import { captureTo } from '../../lib/pipeline/trace/capture.js';
import { pcapHeader, SEGMENT_BYTES, TcpConnection } from '../../lib/pipeline/trace/pcap.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { until, within } from '../support/foreign.js';
import '../support/long.js';
import { alice, authority, freshFolder, managerIdentity } from '../support/roles.js';
import { through } from './layers.js';

const fresh = (t: Pick<Test, 'teardown'>) => join(freshFolder(t), 'capture.pcap');

interface Packet {
  readonly seconds: number;
  readonly from: string;
  readonly to: string;
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly payload: Buffer;
}

/** The Internet checksum over `bytes`, by the definition of RFC 1071; 0 where the sum in them is right. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at] as number) * 256 + (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65_536);
  return ~sum & 0xffff;
}

/** The packets of a capture. Fails where a length or a checksum is wrong. */
function packetsOf(t: Test, file: Buffer): Packet[] {
  t.equal(file.toString('hex', 0, 8), 'd4c3b2a102000400');
  t.equal(file.readUInt32LE(20), 101);
  const packets: Packet[] = [];
  let sound = true;
  for (let at = 24; at < file.length; ) {
    const length = file.readUInt32LE(at + 8);
    const ip = file.subarray(at + 16, at + 16 + length);
    const tcp = ip.subarray(20);
    const pseudo = Buffer.concat([ip.subarray(12, 20), Buffer.of(0, 6, tcp.length >> 8, tcp.length & 0xff), tcp]);
    sound &&= ip.length === length && ip.readUInt16BE(2) === length && checksum(ip.subarray(0, 20)) === 0 && checksum(pseudo) === 0;
    packets.push({
      seconds: file.readUInt32LE(at) + file.readUInt32LE(at + 4) / 1e6,
      from: `${ip.subarray(12, 16).join('.')}:${tcp.readUInt16BE(0)}`,
      to: `${ip.subarray(16, 20).join('.')}:${tcp.readUInt16BE(2)}`,
      flags: tcp[13] as number,
      seq: tcp.readUInt32BE(4),
      ack: tcp.readUInt32BE(8),
      payload: tcp.subarray(((tcp[12] as number) >> 4) * 4),
    });
    at += 16 + length;
  }
  t.ok(sound, 'lengths and checksums');
  return packets;
}

void t.test('one connection: handshake, segments in both directions, end', async (t) => {
  const records: Buffer[] = [pcapHeader()];
  const tcp = new TcpConnection({ host: 7, port: 50_000 }, { host: 1, port: 443 }, 1_700_000_000_123.456, (packet) =>
    records.push(Buffer.from(packet)),
  );
  const large = Buffer.alloc(SEGMENT_BYTES * 2 + 1, 0xab);
  tcp.data('client', large, 1_700_000_000_200);
  tcp.data('server', Buffer.from('odd'), 1_700_000_000_300);
  tcp.close(1_700_000_001_000);
  const packets = packetsOf(t, Buffer.concat(records));
  t.same(
    packets.map(({ from, flags, seq, ack, payload }) => [from.endsWith(':443') ? 'server' : 'client', flags, seq, ack, payload.length]),
    [
      ['client', 0x02, 0, 0, 0],
      ['server', 0x12, 0, 1, 0],
      ['client', 0x10, 1, 1, 0],
      ['client', 0x18, 1, 1, SEGMENT_BYTES],
      ['client', 0x18, 1 + SEGMENT_BYTES, 1, SEGMENT_BYTES],
      ['client', 0x18, 1 + 2 * SEGMENT_BYTES, 1, 1],
      ['server', 0x10, 1, 2 + 2 * SEGMENT_BYTES, 0],
      ['server', 0x18, 1, 2 + 2 * SEGMENT_BYTES, 3],
      ['client', 0x10, 2 + 2 * SEGMENT_BYTES, 4, 0],
      ['client', 0x11, 2 + 2 * SEGMENT_BYTES, 4, 0],
      ['server', 0x11, 4, 3 + 2 * SEGMENT_BYTES, 0],
      ['client', 0x10, 3 + 2 * SEGMENT_BYTES, 5, 0],
    ],
  );
  t.equal(packets[0]?.from, '192.0.2.7:50000');
  t.equal(packets[0]?.to, '192.0.2.1:443');
  t.equal(packets[0]?.seconds, 1_700_000_000.123456);
  t.ok(Buffer.concat(packets.filter(({ from }) => from.startsWith('192.0.2.7')).map(({ payload }) => payload)).equals(large));
});

void t.test('sequence numbers go round after 4 GiB', async (t) => {
  const seqs: number[] = [];
  const tcp = new TcpConnection({ host: 2, port: 50_000 }, { host: 1, port: 443 }, 0, (packet) => {
    if (packet.length > 1000) seqs.push(packet.readUInt32BE(16 + 20 + 4));
  });
  const segment = Buffer.alloc(SEGMENT_BYTES);
  const count = Math.ceil(2 ** 32 / SEGMENT_BYTES) + 1;
  for (let i = 0; i < count; i++) tcp.data('client', segment, 0);
  t.equal(seqs.at(-1), (1 + (count - 1) * SEGMENT_BYTES) % 2 ** 32);
  t.ok((seqs.at(-1) as number) < SEGMENT_BYTES * 2);
});

const server = { role: 'server', ...managerIdentity(), identities: [alice.certificate] } as const;
const client = { role: 'client', certificate: alice.certificate, key: alice.key, authority: authority.certificate } as const;

/** Sends `bytes` through TLS and back. Gives the counters of the TLS layers of both ends when both have closed. */
async function session(bytes: number): Promise<{ client: LayerTraffic; server: LayerTraffic }> {
  const [left, right] = memoryPipe();
  const here = stack(lengthPrefix({ deliver: 'whole' }), tls(client)).over(left);
  const there = stack(lengthPrefix({ deliver: 'whole' }), tls(server)).over(right);
  const closed = Promise.all([here, there].map((channel) => new Promise((resolve) => channel.once('close', resolve))));
  there.on('data', (message) => there.write(message));
  there.on('end', () => there.end());
  here.on('data', () => here.end());
  here.write(Buffer.alloc(bytes));
  await within('the end of both', closed);
  return { client: here.traffic()[1] as LayerTraffic, server: there.traffic()[1] as LayerTraffic };
}

void t.test('each session is a connection with the bytes of its TLS layer, whichever end this is', async (t) => {
  const path = fresh(t);
  const capture = captureTo(path);
  const runs = [await session(500_000), await session(10)];
  capture.close();
  const packets = packetsOf(t, readFileSync(path));
  const sum = (from: string, to: string) =>
    packets.filter((one) => one.from === from && one.to === to).reduce((total, { payload }) => total + payload.length, 0);
  // Both ends are in this process, so each session is there twice, once as each end has it.
  const seen = [49_152, 49_153, 49_154, 49_155].map((port) => {
    const [client, server] = [`192.0.2.2:${port}`, '192.0.2.1:443'];
    t.equal(packets.filter(({ from, to, flags }) => [from, to].includes(client) && (flags & 1) === 1).length, 2, 'FINs');
    return [sum(client, server), sum(server, client)];
  });
  const due = runs.map(({ client: { outbound, inbound } }) => [outbound.bytesOut, inbound.bytesIn]);
  for (const [
    i,
    {
      server: { outbound, inbound },
    },
  ] of runs.entries())
    t.same([inbound.bytesIn, outbound.bytesOut], due[i]);
  t.same(seen, [due[0], due[0], due[1], due[1]]);
  const times = packets.map(({ seconds }) => seconds);
  t.same(
    times,
    times.toSorted((a, b) => a - b),
  );
});

void t.test('stacks without TLS, and those opened before, are not in it', async (t) => {
  const path = fresh(t);
  const [left, right] = memoryPipe();
  right.on('error', () => {}).resume();
  const early = stack(lengthPrefix(), tls(client)).over(left);
  const capture = captureTo(path);
  const [other, far] = memoryPipe();
  far.on('error', () => {}).resume();
  const plain = stack(through('a')).over(other);
  plain.write(Buffer.alloc(100));
  await until('the write', () => plain.idle);
  for (const channel of [early, plain]) channel.destroy();
  capture.close();
  t.equal(readFileSync(path).length, 24, 'the header of the file, and nothing else');
});

void t.test('a full disk ends the capture with one warning', { skip: existsSync('/dev/full') ? false : 'no /dev/full' }, async (t) => {
  const faults: string[] = [];
  const capture = captureTo('/dev/full', { onFault: (error) => faults.push(error.message) });
  await session(500_000);
  capture.close();
  t.equal(faults.length, 1);
  t.match(faults[0], /ENOSPC/);
});
