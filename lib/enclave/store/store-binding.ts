import { constants } from 'node:fs';
import { join } from 'node:path';
import { FileStoreError, InvalidArgumentError } from '../../core/errors.js';
import { errno, notAFile, STORE_LAYER, unknownOutcome } from './store-error.js';
import type { StoreFolder } from './store-folder.js';

const POLICY_HASH = /^[0-9a-f]{64}$/;
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/**
 * Binds the folder of a store to a policy for good. A file beside the store's folders records it; the file is created once
 * and never changed:
 *
 *     <root>/policy     SHA-256 of the policy's text, 64 lowercase hex digits, and a newline
 *
 * @throws FileStoreError, see `FileStore.bind`; InvalidArgumentError for a malformed hash
 */
export async function bindFolder(folder: StoreFolder, policyHash: string): Promise<void> {
  if (!POLICY_HASH.test(policyHash)) {
    throw new InvalidArgumentError('a policy hash has 64 lowercase hex digits', {
      layer: STORE_LAYER,
      expected: 64,
      got: policyHash.length,
    });
  }
  const path = join(folder.root, 'policy');
  const bound = (await boundTo(folder, path)) ?? (await claim(folder, path, policyHash));
  if (bound === policyHash) {
    // Also of a file that was there: its own sync may have failed.
    await folder.syncRoot().catch((thrown: unknown) => {
      throw unknownOutcome('the store is bound to the policy, but a crash of the machine may undo it', thrown);
    });
    return;
  }
  throw new FileStoreError('the store belongs to another policy', { layer: STORE_LAYER, expected: bound, got: policyHash });
}

/** The hash in the file; undefined when there is no file. */
async function boundTo({ disk }: StoreFolder, path: string): Promise<string | undefined> {
  const file = await disk.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((thrown: unknown) => {
    if (errno(thrown) === 'ENOENT') return undefined;
    throw errno(thrown) === 'ELOOP' ? notAFile() : thrown;
  });
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(66), 0, 66, 0);
    const [hash = ''] = /^[0-9a-f]{64}(?=\n$)/.exec(buffer.toString('latin1', 0, bytesRead)) ?? [];
    if (hash !== '') return hash;
    throw new FileStoreError('the file that names the policy of the store is damaged', {
      layer: STORE_LAYER,
      expected: 65,
      got: bytesRead,
    });
  } finally {
    await file.close().catch(() => {});
  }
}

/** Creates the file and returns the hash in it. That is another hash when another process created the file first. */
async function claim(folder: StoreFolder, path: string, policyHash: string): Promise<string | undefined> {
  const { files } = folder.quota;
  if (files > 0) {
    throw new FileStoreError(`the store has ${files} files and no policy: it is bound before anything is in it`, {
      layer: STORE_LAYER,
      expected: 0,
      got: files,
    });
  }
  // A link makes the file appear with all of its contents at once, and it never replaces an existing file.
  const draft = folder.draftPath('w');
  const file = await folder.createDraft(draft);
  try {
    await file.writeFile(`${policyHash}\n`);
    await folder.syncFile(file);
    await folder.disk.link(draft, path);
    return policyHash;
  } catch (thrown) {
    if (errno(thrown) !== 'EEXIST') throw thrown;
    return await boundTo(folder, path);
  } finally {
    await file.close().catch(() => {});
    // One that stays is removed when the store is opened again.
    await folder.disk.unlink(draft).catch(() => {});
  }
}
