/** A key behind a password is told apart from what is no key, wherever one is asked for. */
import { createPrivateKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeAuthority, readAuthority } from '../../../lib/attestation/authority.js';
import { InsecureNitroAttester, InsecureSoftwareAttester } from '../../../lib/attestation/evidence/index.js';
import { makeIdentity } from '../../../lib/attestation/identity.js';
import { readPrivateKey } from '../../../lib/layers/formats/private-key.js';
import { tls } from '../../../lib/layers/tls/index.js';
import { checkIdentity } from '../../../lib/roles/client/trust.js';

const SAYS = /is encrypted, and no password is asked for here/;
const cipher = { cipher: 'aes-256-cbc', passphrase: 'a password' };
const identity = makeIdentity({ commonName: 'x' });
const authority = makeAuthority();

/** The forms that openssl writes: PKCS#8, and the older one of EC keys with `Proc-Type: 4,ENCRYPTED`. */
const encrypted = (pem: string) =>
  (['pkcs8', 'sec1'] as const).map((type) =>
    createPrivateKey(pem)
      .export({ type, format: 'pem', ...cipher })
      .toString(),
  );

void t.test('an encrypted key says that it is encrypted', async (t) => {
  const folder = t.testdir();
  for (const key of encrypted(identity.key)) {
    t.match(key, /ENCRYPTED/);
    const option = { code: 'ERR_VC_INVALID_OPTION', message: SAYS };
    t.throws(() => readPrivateKey('the key', key), { ...option, message: /^the key is encrypted/ });
    t.throws(() => checkIdentity({ certificate: identity.certificate, key }), { ...option, layer: 'client' });
    const { certificate } = identity;
    t.throws(() => tls({ role: 'server', certificate, key, identities: [certificate] }), { ...option, layer: 'tls' });
    const keyFile = join(folder, 'device.key');
    writeFileSync(keyFile, key, { mode: 0o600 });
    await t.rejects(InsecureSoftwareAttester.open({ keyFile }), option);
    await t.rejects(InsecureNitroAttester.open({ keyFile, runtimeHash: Buffer.alloc(32) }), option);
  }
  for (const key of encrypted(authority.key)) {
    t.throws(() => readAuthority(authority.certificate, key), { code: 'ERR_VC_INVALID_ARGUMENT', message: SAYS });
  }
});

void t.test('what is no key says that', async (t) => {
  for (const text of ['', 'none', identity.certificate]) {
    t.throws(() => readPrivateKey('key', text, 'tls'), {
      code: 'ERR_VC_INVALID_OPTION',
      layer: 'tls',
      message: 'key is no private key in PEM',
    });
  }
});
