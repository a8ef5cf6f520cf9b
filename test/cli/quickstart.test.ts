/** The original's quickstart with our commands, as docs/quickstart-original.md has it, on free ports. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { putDatabase } from '../support/databases.js';
import { within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { freshFolder } from '../support/roles.js';
import { commandsOf, Shell } from './shell.js';

/** Shamir's secret sharing as in the original: bytes in GF(256) with the polynomial of AES, the first of a share is its x. */
const SHAMIR = `
#include <stdio.h>

static unsigned char times(unsigned char a, unsigned char b) {
  unsigned char product = 0;
  for (; b != 0; b >>= 1) {
    if (b & 1) product ^= a;
    a = (a << 1) ^ (a & 0x80 ? 0x1b : 0);
  }
  return product;
}

static unsigned char over(unsigned char a, unsigned char b) {
  unsigned char inverse = 1;
  for (int i = 0; i < 254; i++) inverse = times(inverse, b);
  return times(a, inverse);
}

int main(void) {
  static unsigned char shares[255][4096];
  size_t length = sizeof shares[0];
  int count = 0;
  for (; count < 255; count++) {
    char name[64];
    snprintf(name, sizeof name, "/input/shamir-%d.dat", count);
    FILE *file = fopen(name, "rb");
    if (file == NULL) break;
    size_t bytes = fread(shares[count], 1, sizeof shares[count], file);
    if (bytes < length) length = bytes;
    fclose(file);
  }
  FILE *output = fopen("/output/shamir.dat", "wb");
  if (output == NULL || count == 0) return 1;
  for (size_t at = 1; at < length; at++) {
    unsigned char secret = 0;
    for (int i = 0; i < count; i++) {
      unsigned char term = shares[i][at];
      for (int j = 0; j < count; j++)
        if (i != j) term = times(term, over(shares[j][0], shares[i][0] ^ shares[j][0]));
      secret ^= term;
    }
    fputc(secret, output);
  }
  return fclose(output);
}
`;

/** The same form as those of the original: one subject for all participants, and no key identifiers in their certificates. */
const PARTICIPANTS = `[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
C = Mx
O = Zibble Zabble
CN = zibblezabble
[extensions]
subjectKeyIdentifier = none
subjectAltName = DNS:zabble.zibble, DNS:www.zabble.zibble
`;
const AUTHORITY = `[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = VeracruzProxyServer
[extensions]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always,issuer
basicConstraints = critical,CA:true
`;

/** Flags that the original's programs have, of those that the quickstart says. */
const THEIRS =
  /^--(help|proxy-attestation-server-(ip|cert)|veracruz-server-ip|certificate-expiry|certificate|capability|binary|output-policy-file|max-memory-mib|ca-cert|ca-key|identity|key|program|data|compute|result)$/;

/** Why it cannot be run here; undefined when it can. */
function obstacle(): string | undefined {
  const missing = ['openssl', 'xxd'].find((program) => spawnSync(program, ['--version']).error !== undefined);
  if (missing !== undefined) return `no ${missing}`;
  writeFileSync(join(built, 'shamir.c'), SHAMIR);
  const { status, error, stderr } = spawnSync('clang', ['--target=wasm32-wasi', '-O1', '-o', 'shamir.wasm', 'shamir.c'], {
    cwd: built,
    encoding: 'utf8',
  });
  return status === 0 ? undefined : `no clang with wasi-libc: ${(error?.message ?? stderr).split('\n')[0]}`;
}

const built = freshFolder(t);

/** A port that nobody has: the policy says where the Server is before it is there. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

void t.test('from its first line to its last', { skip: obstacle() ?? false }, async (t) => {
  const commands = commandsOf(readFileSync(join(PROJECT_ROOT, 'docs', 'quickstart-original.md'), 'utf8'), 'quickstart');
  const shell = new Shell(t, { shamir: join(built, 'shamir.wasm') });
  const put = (name: string, text: string) => writeFileSync(join(shell.folder, name), text);
  mkdirSync(join(shell.folder, 'test-collateral'));
  put('test-collateral/cert.conf', PARTICIPANTS);
  put('test-collateral/ca-cert.conf', AUTHORITY);
  await putDatabase(join(shell.folder, 'attestation', 'registry'));

  const [attestation, service] = [await freePort(), await freePort()];
  const here = (command: string) => command.replaceAll(':3010', `:${attestation}`).replaceAll(':3017', `:${service}`);
  const roles = new Map<string, Awaited<ReturnType<Shell['serve']>>>();
  const last = commands.findLast((command) => command.includes(' client '));
  for (const written of commands) {
    if (written.startsWith('sleep ') || written.startsWith('kill ')) continue;
    if (written.endsWith(' &')) {
      const [, name = ''] = written.split(' ');
      const manager = roles.get('runtime')?.at;
      const place = { attest: '', runtime: undefined, server: `--runtime tcp://${manager}` }[name];
      roles.set(name, await shell.serve(here(written).slice(0, -2), place));
      continue;
    }
    const { code, stdout, stderr } = await shell.run(here(written));
    t.equal(code, 0, `${written}\n${stderr}`);
    if (written === last) t.equal(stdout, 'Hello World!\n');
  }
  t.same([...roles.keys()], ['attest', 'runtime', 'server']);
  roles.get('attest')?.child.kill('SIGTERM');
  for (const [name, role] of roles) t.match(await within(`the end of ${name}`, role.ended), { code: 0 }, name);

  const flags = new Set(
    commands.filter((command) => command.startsWith('veracruz-')).flatMap((command) => command.match(/--[a-z-]+/g) ?? []),
  );
  const ours = [...flags].filter((flag) => !THEIRS.test(flag) && flag !== '--rfc-');
  t.same(ours, ['--runtime-hash', '--out', '--store', '--attester', '--device-key'], 'and no other flags that the original does not have');
});
