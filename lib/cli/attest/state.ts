import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Authority, makeAuthority } from '../../attestation/authority.js';
import { DeviceRegistry, type RegistryAdmin, RegistryClient } from '../../attestation/registry/index.js';
import { clock } from '../../core/clock.js';
import { InvalidArgumentError, RegistryError } from '../../core/errors.js';
import { fileFault } from '../../core/file-faults.js';
import { makeFolder } from '../../core/make-folder.js';
import { readText } from '../flags.js';
import { writeNewFiles } from '../new-files.js';
import { type RegistryFlags, registryOf } from './flags.js';

/** Bytes that the path of a Unix socket may have on Linux. */
const MAX_SOCKET_PATH_BYTES = 107;
/** Milliseconds that another server may take to write its new authority, and between two looks. */
const MAKING_MS = 1000;
const LOOK_MS = 10;

/** Where an attestation server keeps what must outlive it. */
export type StateFlags = RegistryFlags;

export interface AuthorityFlags extends StateFlags {
  readonly caCert?: string;
  readonly caKey?: string;
}

/** The folder of the embedded registry. */
export function registryFolder({ state }: StateFlags): string {
  return join(state, 'registry');
}

/** Where a server with an embedded registry listens for commands; undefined where the path is too long for a socket. */
export function adminSocket({ state }: StateFlags): string | undefined {
  const path = join(state, 'admin.sock');
  return Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES ? path : undefined;
}

type Pair = Pick<Authority, 'certificate' | 'key'>;

/** An authority, before anything is written. */
export interface FoundAuthority {
  readonly authority: Pair;
  /**
   * Keeps one that is new. Of several servers that start at once on a new folder one makes it, and the others take it.
   *
   * @returns the authority that counts, and where its certificate was made
   */
  readonly settle: () => Promise<{ readonly authority: Pair; readonly made: string | undefined }>;
}

/** The authority that two flags name; else that of the state folder, which is new at the first start. Writes nothing. */
export async function authorityOf(flags: AuthorityFlags): Promise<FoundAuthority> {
  const { caCert, caKey } = flags;
  if ((caCert === undefined) !== (caKey === undefined)) throw new InvalidArgumentError('--ca-cert and --ca-key belong together');
  if (caCert !== undefined && caKey !== undefined) return known({ certificate: readText(caCert), key: readText(caKey) });
  const files = { certificate: join(flags.state, 'ca.pem'), key: join(flags.state, 'ca.key') };
  if (existsSync(files.certificate) || existsSync(files.key)) return known(await readState(files));
  const authority = makeAuthority();
  return { authority, settle: () => keep(authority, flags, files) };
}

function known(authority: Pair): FoundAuthority {
  return { authority, settle: () => Promise.resolve({ authority, made: undefined }) };
}

async function keep(authority: Pair, flags: AuthorityFlags, files: Pair): Promise<Awaited<ReturnType<FoundAuthority['settle']>>> {
  await makeState(flags);
  const { key, certificate } = authority;
  try {
    writeNewFiles(
      [
        { path: files.key, content: key, secret: true },
        { path: files.certificate, content: certificate, secret: false },
      ],
      false,
    );
    return { authority, made: files.certificate };
  } catch (error) {
    // Who was faster has the first of them.
    if (!existsSync(files.key)) throw error;
    return { authority: await readState(files), made: undefined };
  }
}

/** Reads the files of a state folder, which another server may be making. */
async function readState({ certificate, key }: Pair): Promise<Pair> {
  // The certificate comes last.
  const deadline = clock.monotonic() + MAKING_MS;
  while (!existsSync(certificate) && clock.monotonic() < deadline) await clock.sleep(LOOK_MS);
  return { certificate: readText(certificate), key: readText(key) };
}

/** The registry for a command: opened here, or by the admin socket of the server that has it open. Without `make` it must be there. */
export async function openAdmin(flags: StateFlags, make: boolean): Promise<RegistryAdmin> {
  const folder = registryFolder(flags);
  const options = registryOf(flags, folder);
  if (flags.database !== undefined) return DeviceRegistry.open(options);
  if (make) {
    if (!existsSync(folder)) await DeviceRegistry.check(options);
    await makeState(flags);
  } else if (!existsSync(folder)) throw new InvalidArgumentError(`there is no registry in ${flags.state}: is --state right?`);
  try {
    return await DeviceRegistry.open(options);
  } catch (error) {
    const socket = adminSocket(flags);
    // Only a lock that is held has a process number.
    const held = error instanceof RegistryError && typeof error.got === 'number';
    if (!held || socket === undefined || !existsSync(socket)) throw error;
    return new RegistryClient(socket);
  }
}

async function makeState({ state }: StateFlags): Promise<void> {
  try {
    await makeFolder(state);
  } catch (cause) {
    throw fileFault(`cannot make ${state}: ${(cause as Error).message}`, cause);
  }
}
