/** The file of a Unix socket that somebody wants to listen at, where a killed process may have left one. */
import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename, dirname } from 'node:path';
import { clock } from '../core/clock.js';
import { ProcessClaim } from '../core/process-claim.js';
import { codeOf } from './retry.js';

/** Tries to be the only one who looks at a place: a few seconds, while another one takes some 50 ms. */
const TRIES = 200;
/** Milliseconds between two looks whether nobody listens: somebody may just be about to. */
const AGAIN_MS = 50;

/**
 * Makes a socket of its own with `bind`. When the file is there, and it is a socket at which nobody listens, a process that
 * was killed has left it: it is removed, and the socket made. Of several processes that do so at once one gets the place:
 * they take turns, by a file beside the socket (`.<name>.claim-…`, see `ProcessClaim`).
 *
 * @throws what `bind` throws: EADDRINUSE when somebody listens there, or the file is no socket
 */
export async function takePlace(path: string, bind: () => Promise<void>): Promise<void> {
  // Where no file can be made, no socket can be made either, and `bind` says why.
  const claim = await ProcessClaim.take(dirname(path), `.${basename(path)}.claim`, TRIES).catch(() => undefined);
  try {
    await bind();
  } catch (error) {
    if (!(claim instanceof ProcessClaim) || codeOf(error) !== 'EADDRINUSE' || !(await isLeft(path))) throw error;
    await unlink(path);
    await bind();
  } finally {
    if (claim instanceof ProcessClaim) await claim.release().catch(() => {});
  }
}

/** Why a place is taken. */
export async function whoHas(path: string): Promise<string> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isSocket() === false ? 'a file is there that is no socket' : 'another process listens at that file';
}

/** Whether the file is a socket at which nobody listens. */
async function isLeft(path: string): Promise<boolean> {
  const before = await socketAt(path);
  if (before === undefined || !(await refuses(path))) return false;
  await clock.sleep(AGAIN_MS);
  return (await refuses(path)) && (await socketAt(path)) === before;
}

/** What tells a socket's file from another one of its name; undefined where there is no socket. */
async function socketAt(path: string): Promise<string | undefined> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  return found?.isSocket() === true ? `${found.dev}:${found.ino}:${found.ctimeNs}` : undefined;
}

/** Only a refusal says that nobody listens; any other error may come from somebody who is busy, or not for us. */
async function refuses(path: string): Promise<boolean> {
  const socket = connect({ path });
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    return codeOf(error) === 'ECONNREFUSED';
  } finally {
    socket.on('error', () => {}).destroy();
  }
}
