/**
 * Packets of TCP that were never sent, in the format of libpcap 2.4 (link type 101: IP packets). Addresses are of 192.0.2.0/24,
 * which are for documentation (RFC 5737).
 */

const LINKTYPE_RAW = 101;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const IP_BYTES = 20;
const TCP_BYTES = 20;
/** Bytes of an IP packet, at most. */
const MAX_PACKET_BYTES = 65_535;
/** Bytes of payload of one packet. */
export const SEGMENT_BYTES = MAX_PACKET_BYTES - IP_BYTES - TCP_BYTES;
const FIN = 0x01;
const SYN = 0x02;
const PUSH = 0x08;
const ACK = 0x10;
/** Window scale 14, the largest: no window is ever full. */
const SYN_OPTIONS = Buffer.from('0103030e', 'hex');
const MICROSECONDS = 1000;

/** The beginning of a file. */
export function pcapHeader(): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(MAX_PACKET_BYTES, 16);
  header.writeUInt32LE(LINKTYPE_RAW, 20);
  return header;
}

/** One end of a connection: the last byte of its address in 192.0.2.0/24, and its port. */
export interface TcpEnd {
  readonly host: number;
  readonly port: number;
}

interface End extends TcpEnd {
  /** Its next sequence number. */
  next: number;
}

/** One TCP connection, from the handshake to the FINs of both ends. Packets go to `write`, which must not keep them. */
export class TcpConnection {
  readonly #client: End;
  readonly #server: End;
  readonly #write: (packet: Buffer) => void;

  /** @param now milliseconds since 1970 */
  constructor(client: TcpEnd, server: TcpEnd, now: number, write: (packet: Buffer) => void) {
    this.#client = { ...client, next: 0 };
    this.#server = { ...server, next: 0 };
    this.#write = write;
    this.#send(this.#client, this.#server, SYN, now);
    this.#send(this.#server, this.#client, SYN | ACK, now);
    this.#send(this.#client, this.#server, ACK, now);
  }

  /** Bytes that one end sends, in as many packets as they need. The other acknowledges them. */
  data(from: 'client' | 'server', bytes: Buffer, now: number): void {
    const [sender, receiver] = from === 'client' ? [this.#client, this.#server] : [this.#server, this.#client];
    for (let at = 0; at < bytes.length; at += SEGMENT_BYTES) {
      this.#send(sender, receiver, PUSH | ACK, now, bytes.subarray(at, at + SEGMENT_BYTES));
    }
    this.#send(receiver, sender, ACK, now);
  }

  close(now: number): void {
    this.#send(this.#client, this.#server, FIN | ACK, now);
    this.#send(this.#server, this.#client, FIN | ACK, now);
    this.#send(this.#client, this.#server, ACK, now);
  }

  #send(from: End, to: End, flags: number, now: number, payload: Buffer = NOTHING): void {
    const options = (flags & SYN) === 0 ? NOTHING : SYN_OPTIONS;
    this.#write(packetOf(from, to, flags, now, options, payload));
    from.next = (from.next + payload.length + ((flags & (SYN | FIN)) === 0 ? 0 : 1)) >>> 0;
  }
}

const NOTHING = Buffer.alloc(0);
/** The packet that was made last; its own memory, so that words in it are aligned. */
const scratch = Buffer.allocUnsafeSlow(RECORD_HEADER_BYTES + MAX_PACKET_BYTES + 1);

/** A record of the file: its header, the IP header, the TCP header, and the payload. The next call overwrites it. */
function packetOf(from: End, to: End, flags: number, now: number, options: Buffer, payload: Buffer): Buffer {
  const tcpBytes = TCP_BYTES + options.length + payload.length;
  const end = RECORD_HEADER_BYTES + IP_BYTES + tcpBytes;
  const tcp = scratch.subarray(RECORD_HEADER_BYTES + IP_BYTES, end);
  tcp.writeUInt16BE(from.port, 0);
  tcp.writeUInt16BE(to.port, 2);
  tcp.writeUInt32BE(from.next, 4);
  tcp.writeUInt32BE((flags & ACK) === 0 ? 0 : to.next, 8);
  tcp[12] = ((TCP_BYTES + options.length) / 4) << 4;
  tcp[13] = flags;
  tcp.writeUInt16BE(0xffff, 14);
  tcp.writeUInt32BE(0, 16);
  options.copy(tcp, TCP_BYTES);
  payload.copy(tcp, TCP_BYTES + options.length);
  writeHeaders(from, to, tcpBytes, now);
  return scratch.subarray(0, end);
}

/** The headers before the one of TCP, and both checksums. */
function writeHeaders(from: End, to: End, tcpBytes: number, now: number): void {
  const ip = scratch.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + IP_BYTES);
  const at = RECORD_HEADER_BYTES + IP_BYTES;
  ip.set([192, 0, 2, from.host, 192, 0, 2, to.host], 12);
  // The pseudo-header of TCP: both addresses, the protocol and the length. These four bytes are overwritten afterwards.
  ip.writeUInt16BE(6, 8);
  ip.writeUInt16BE(tcpBytes, 10);
  writeChecksum(RECORD_HEADER_BYTES + 8, at + tcpBytes, at + 16);
  // Version 4, five words; the length; don't fragment; 64 hops; TCP.
  ip.set([0x45, 0], 0);
  ip.writeUInt16BE(IP_BYTES + tcpBytes, 2);
  ip.writeUInt32BE(0x4000, 4);
  ip.set([64, 6, 0, 0], 8);
  writeChecksum(RECORD_HEADER_BYTES, at, RECORD_HEADER_BYTES + 10);
  const micros = Math.round(now * MICROSECONDS);
  scratch.writeUInt32LE(Math.floor(micros / 1e6), 0);
  scratch.writeUInt32LE(micros % 1e6, 4);
  scratch.writeUInt32LE(IP_BYTES + tcpBytes, 8);
  scratch.writeUInt32LE(IP_BYTES + tcpBytes, 12);
}

/**
 * The Internet checksum (RFC 1071) of the bytes from `start` to `end`, written at `place`, which must be zero. All are even but
 * `end`. The order of bytes in a word does not matter, as the result is written as it was summed.
 */
function writeChecksum(start: number, end: number, place: number): void {
  // A last half word is made whole.
  if (end % 2 === 1) scratch[end] = 0;
  const words = new Uint16Array(scratch.buffer, start, Math.ceil((end - start) / 2));
  let sum = 0;
  for (let i = 0; i < words.length; i++) sum += words[i] as number;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  words[(place - start) / 2] = ~sum & 0xffff;
}
