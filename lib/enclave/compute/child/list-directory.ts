import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry, OpenDirectory } from './descriptors.js';
import { attempt } from './errno.js';
import { type Host, placeOf } from './host.js';
import { ERRNO, FILETYPE } from './preview1.js';

/** Bytes of an entry before its name, and where it says what. */
const HEAD_BYTES = 24;
const AT = { NEXT: 0, INODE: 8, NAME_BYTES: 16, TYPE: 20 };

/** What every directory holds besides: itself, and what it is in. */
const DOTS: readonly Entry[] = ['.', '..'].map((name) => ({ name, isDirectory: true }));

/**
 * Writes entries of a directory into `bytes` at `buffer`, from the one with the number `cookie` on, the last of them as far
 * as it fits. The entries are those that were there when the program asked for number 0: `.`, `..`, then the others in no order.
 */
export function listDirectory(host: Host, open: OpenDirectory, buffer: number, bytes: number, cookie: bigint, used: number): number {
  const room = host.memory.bytes(buffer, bytes);
  const answer = host.memory.bytes(used, 4);
  if (room === undefined || answer === undefined) return ERRNO.FAULT;
  const path = placeOf(host, open.name);
  return attempt(() => {
    if (cookie === 0n) open.listing = [...DOTS, ...entriesOf(path)];
    const first = Number(BigInt.asUintN(64, cookie));
    let at = 0;
    for (let i = first; i < open.listing.length && at < room.length; i++) at += encode(host, open, i).copy(room, at);
    answer.writeUInt32LE(at);
  });
}

function entriesOf(path: string): Entry[] {
  return readdirSync(path, { withFileTypes: true }).map((one) => ({ name: one.name, isDirectory: one.isDirectory() }));
}

function encode(host: Host, open: OpenDirectory, index: number): Buffer {
  const { name, isDirectory } = open.listing[index] as Entry;
  // The root is in itself: what is above it is not the program's business.
  const place = placeOf(host, name === '..' && open.name === '/' ? '/' : join(open.name, name));
  const text = Buffer.from(name);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeBigUInt64LE(BigInt(index + 1), AT.NEXT);
  // What was removed meanwhile has none.
  head.writeBigUInt64LE(lstatSync(place, { bigint: true, throwIfNoEntry: false })?.ino ?? 0n, AT.INODE);
  head.writeUInt32LE(text.length, AT.NAME_BYTES);
  head.writeUInt8(isDirectory ? FILETYPE.DIRECTORY : FILETYPE.REGULAR_FILE, AT.TYPE);
  return Buffer.concat([head, text]);
}
