/** The commands of `veracruz-streams attest`: what they take, and what they refuse. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeAuthority } from '../../lib/attestation/authority.js';
import { Device } from '../roles/attestation-server-support.js';
import { attest, emptyState, folder, freshState, put } from './attest-support.js';

void t.test('PCR0 of Nitro, whole or the part that counts', async (t) => {
  const where = ['--state', await emptyState()];
  const pcr = 'AB'.repeat(48);
  t.match(attest(['allow', 'nitro', pcr, '--label', 'eif 3', ...where]), { status: 0, stdout: `allowed nitro ${'ab'.repeat(32)}\n` });
  t.match(attest(['revoke', 'ab'.repeat(32), '--platform', 'linux', ...where]), { status: 2, stderr: /no such hash is allowed/ });
  t.match(attest(['revoke', pcr, '--platform', 'nitro', '--json', ...where]), { status: 0, stdout: `{"revoked":"${'ab'.repeat(32)}"}\n` });
  t.match(attest(['allow', 'nitro', pcr, ...where]), { status: 2, stderr: /revoked/ });
  t.match(attest(['allow', 'nitro', pcr, '--restore', ...where]), { status: 0 });
});

void t.test('wrong use: one line, 2, and nothing is made', async (t) => {
  const state = freshState();
  const where = ['--state', state];
  const wrong: [string[], RegExp][] = [
    [['--ca-cert', put('only.pem', 'x'), ...where], /--ca-cert and --ca-key belong together/],
    [['--ca-cert', put('bad.pem', 'x'), '--ca-key', put('bad.key', 'y'), ...where], /no certificate and private key/],
    [['enroll', join(folder, 'missing'), ...where], /cannot read/],
    [['--database', 'mysql://x/y', ...where, '--ca-cert', put('a.pem', makeAuthority().certificate)], /belong together/],
    [['enrol', ...where], /^veracruz-streams: neither a command of attest nor host:port: "enrol"/],
    [[':3010', '--listen', 'tcp://127.0.0.1:0', ...where], /--listen tcp:\/\/127\.0\.0\.1:0 and 127\.0\.0\.1:3010 say the same thing/],
    [['keys', ...where], /there is no registry in /],
    [['revoke', 'ab'.repeat(32), ...where], /there is no registry in /],
    [['keys', '--database', 'mysql://me:hunter2@x/y'], /^veracruz-streams: the URL of a database is postgres:/],
  ];
  for (const [args, says] of wrong) {
    const { status, stdout, stderr } = attest(args);
    t.equal(status, 2, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr, says);
    t.match(stderr, /^[^\n]+\n$/);
    t.notMatch(stderr, 'hunter2');
  }
  t.notOk(existsSync(state));
  t.match(attest(['--nope']), { status: 2, stderr: /unknown option/ });
  t.match(attest(['nope']), { status: 2 });
  t.match(attest(['allow', 'linux']), { status: 2, stderr: /missing required argument/ });
  t.match(attest(['--help']), { status: 0, stdout: /^Usage: veracruz-streams attest [\s\S]*Examples:/ });
  t.match(attest(['allow', '--help']), { status: 0, stdout: /^Usage: veracruz-streams attest allow .*<platform> <hash>/ });
});

void t.test('what the registry refuses', async (t) => {
  const where = ['--state', await emptyState()];
  const refused: [string[], RegExp][] = [
    [['enroll', put('none.pem', 'no key'), ...where], /a device key is a P-256 public key/],
    [['enroll', put('d.pem', new Device().publicPem), '--label', 'x'.repeat(129), ...where], /at most 128 characters, got 129/],
    [['allow', 'sgx', 'ab'.repeat(32), ...where], /linux, nitro, icecap/],
    [['allow', 'linux', 'ab', ...where], /got 2 characters/],
    [['forget', 'soon', ...where], /days are a number/],
    [['devices', '--limit', '0', ...where], /1 to 100000/],
  ];
  for (const [args, says] of refused) t.match(attest(args), { status: 2, stdout: '', stderr: says }, args.join(' '));
});
