import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Address } from '../transports/address.js';
import type { Log } from './options.js';

/** Bits of a mode: somebody else than the owner may write; the sticky bit lets only owners remove what is in a folder. */
const OTHERS_WRITE = 0o022;
const ANYBODY_WRITES = 0o002;
const STICKY = 0o1000;

/**
 * Warns where others than the two ends could speak on a link, as far as that can be seen from here.
 *
 * Nothing can be asked about the other end of a Unix socket: Node does not tell its uid. What protects such a socket is who
 * may write to its file and who may replace it in its folder, so it is these two that are looked at.
 *
 * @param address where the link is, with its port
 * @param authenticated the link has TLS, so that it matters less who reaches it
 */
export async function warnOfExposure(address: Address, authenticated: boolean, log: Log): Promise<void> {
  const reason = address.kind === 'serial' || authenticated ? undefined : await exposureOf(address);
  if (reason !== undefined) log('warn', 'link not private', { reason });
}

async function exposureOf(address: Exclude<Address, { kind: 'serial' }>): Promise<string | undefined> {
  if ('path' in address) return exposureOfSocket(address.path);
  // An address in memory is of this process.
  if (!('host' in address)) return undefined;
  if (isLoopback(address.host)) return undefined;
  return `${address.host} is not of this machine alone, and there is no linkTls: whoever reaches that port can speak on the link`;
}

/** 127.0.0.0/8, ::1, their mixed form, and the names that stand for them. */
function isLoopback(host: string): boolean {
  return /^(localhost|::1|(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/i.test(host);
}

async function exposureOfSocket(path: string): Promise<string | undefined> {
  const [folder, socket] = await Promise.all([dirname(path), path].map((at) => stat(at).catch(() => undefined)));
  const mine = process.getuid?.();
  if (folder === undefined || mine === undefined) return undefined;
  if (folder.uid !== mine && folder.uid !== 0) return `the folder of the socket belongs to uid ${folder.uid}, who can replace it`;
  if ((folder.mode & OTHERS_WRITE) !== 0 && (folder.mode & STICKY) === 0)
    return 'others can write to the folder of the socket, and replace it';
  if (socket !== undefined && (socket.mode & ANYBODY_WRITES) !== 0) return 'anybody can connect to the socket: its mode lets all write';
  return undefined;
}
