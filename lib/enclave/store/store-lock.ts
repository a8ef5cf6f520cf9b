import { FileStoreError } from '../../core/errors.js';
import { ProcessClaim } from '../../core/process-claim.js';
import { STORE_LAYER } from './store-error.js';

/** Two stores that claim a folder at the same moment both give up and try again after random pauses. */
const ATTEMPTS = 5;

/**
 * Keeps a second process, or a second store in this process, from using a folder: a `ProcessClaim` named `lock`. Processes in
 * different pid namespaces (containers) cannot see each other and need a folder each.
 *
 * @throws FileStoreError with the holder's pid in `got` while another store has the folder.
 */
export async function lockStore(folder: string): Promise<ProcessClaim> {
  const taken = await ProcessClaim.take(folder, 'lock', ATTEMPTS);
  if (typeof taken !== 'number') return taken;
  throw new FileStoreError(`the folder of the store is in use by process ${taken}`, { layer: STORE_LAYER, got: taken });
}
