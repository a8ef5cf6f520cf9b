/** The store behind a policy, when the store itself cannot say whether a file is there. */
import t from 'tap';
import { FileStoreError } from '../../lib/core/errors.js';
import { type Principal, parseRights, RIGHTS, readPolicy } from '../../lib/enclave/policy/index.js';
import type { FileStore } from '../../lib/enclave/store/file-store.js';
import { IncomingBody } from '../../lib/layers/protobuf/index.js';
import { GuardedFiles } from '../../lib/roles/runtime-manager/guarded-files.js';
import { changed } from '../enclave/policy-support.js';

const ALICE: Principal = { kind: 'identity', id: 0 };
/** All that `w` has, but not the right to make a file. */
const REPLACES = parseRights('w') & ~RIGHTS.PATH_CREATE_FILE;

const policy = readPolicy(
  changed((given) => {
    given.identities[0].file_rights = [{ file_name: '/f', rights: REPLACES }];
  }),
);
/** A store that answers every look at a file so. */
const storeOf = (stat: () => Promise<unknown>) => ({ stat }) as unknown as FileStore;
const body = () => IncomingBody.whole(Buffer.from('x'));

void t.test('who may replace a file, and not make one', async (t) => {
  const missing = new FileStoreError('not there', { got: 'ENOENT' });
  const absent = new GuardedFiles(
    policy,
    storeOf(() => Promise.reject(missing)),
  );
  await t.rejects(absent.write(ALICE, '/f', body()), { code: 'ERR_VC_ACCESS_DENIED' }, 'a file that is not there');

  const broken = new FileStoreError('cannot look', { got: 'EIO' });
  const blind = new GuardedFiles(
    policy,
    storeOf(() => Promise.reject(broken)),
  );
  await t.rejects(blind.write(ALICE, '/f', body()), broken, 'a store that cannot tell: its own error, and no write');
});
