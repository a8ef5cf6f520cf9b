/** `runtime` and `server` as processes: how they start, how they end, and what they say when they cannot. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import { verifyPsaToken } from '../../lib/attestation/evidence/index.js';
import { VeracruzClient } from '../../lib/roles/client/client.js';
import { parseAddress } from '../../lib/transports/address.js';
import { assemble } from '../enclave/compute-support.js';
import { certify, Leader } from '../support/enrol.js';
import { until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { alice, authority, managerIdentity, POLICY, policyOf, RUNTIME_HASH, stranger } from '../support/roles.js';
import '../support/processes.js';

const MAIN = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'vc-cli-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const own = managerIdentity();
const put = (name: string, text: string | Buffer) => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};
const FILES = {
  '--certificate': put('manager.pem', own.certificate),
  '--key': put('manager.key', own.key),
  '--policy': put('policy.json', POLICY),
};
let stores = 0;

/** Arguments of `runtime`, with `changes` to them. */
function runtime(changes: Record<string, string> = {}): string[] {
  const flags = {
    '--listen': 'tcp://127.0.0.1:0',
    '--store': join(folder, `store${stores++}`),
    ...FILES,
    '--log-level': 'warn',
    ...changes,
  };
  return ['runtime', ...Object.entries(flags).flat()];
}

class Role {
  readonly child: ChildProcess;
  readonly ended: Promise<number | string | null>;
  stdout = '';
  stderr = '';

  constructor(t: Pick<Test, 'teardown'>, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    this.child = child;
    this.ended = within(`the end of ${args[0]}`, once(child, 'close')).then(([code, signal]) => (code ?? signal) as number | string | null);
    this.ended.catch(() => {});
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    t.teardown(() => child.kill('SIGKILL'));
  }

  /** Where it says that it listens. */
  async at(): Promise<string> {
    await until('its address', () => {
      if (this.child.exitCode !== null) throw new Error(`it ended: ${this.stderr}`);
      return this.stdout.includes('\n');
    });
    return this.stdout.replace(/^listening at (.*)\n$/, '$1');
  }
}

/** A port of loopback that somebody else has. */
async function takenPort(t: Pick<Test, 'teardown'>): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

const oneLine = (t: Test, stderr: string) => {
  t.match(stderr, /^veracruz-streams: [^\n]+\n$/, 'one line');
  t.notMatch(stderr, 'PRIVATE KEY');
};

for (const flag of Object.keys(FILES)) {
  void t.test(`runtime with a ${flag} that is not there`, async (t) => {
    const role = new Role(t, runtime({ [flag]: join(folder, 'missing') }));
    t.equal(await role.ended, 2);
    oneLine(t, role.stderr);
    t.match(role.stderr, `cannot read ${join(folder, 'missing')}`);
  });
}

void t.test('runtime says what confines programs', async (t) => {
  const role = new Role(t, [...runtime({ '--log-level': 'info' }), '--sandbox', 'none']);
  await role.at();
  t.match(role.stderr, /"sandbox":"none","msg":"programs are confined"/);
  t.match(role.stderr, /"level":40,.*the sandbox of programs is weak: programs are confined by Node alone, as it was asked for/);
  const wrong = new Role(t, [...runtime(), '--sandbox', 'firejail']);
  t.equal(await wrong.ended, 2);
  t.match(wrong.stderr, /auto, bwrap, none/);
});

void t.test('runtime with a sandbox that is demanded and not there', async (t) => {
  const role = new Role(t, [...runtime(), '--sandbox', 'bwrap'], { PATH: '/nowhere' });
  t.equal(await role.ended, 1);
  oneLine(t, role.stderr);
  t.match(role.stderr, 'the sandbox bwrap does not work here: there is no bwrap');
});

void t.test('runtime with files that are not what they should be', async (t) => {
  const wrong: Record<string, string> = {
    '--certificate': FILES['--policy'],
    '--key': FILES['--policy'],
  };
  for (const [flag, path] of Object.entries(wrong)) {
    const role = new Role(t, runtime({ [flag]: path }));
    t.equal(await role.ended, 2, flag);
    oneLine(t, role.stderr);
    t.match(role.stderr, /\(ERR_VC_INVALID_OPTION\)\n$/);
  }
  const role = new Role(t, runtime({ '--key': put('other.key', stranger.key) }));
  t.equal(await role.ended, 2);
  t.match(role.stderr, 'key is not the key of the first certificate');
});

void t.test('a port that is in use', async (t) => {
  const port = await takenPort(t);
  const at = `tcp://127.0.0.1:${port}`;
  const manager = new Role(t, runtime({ '--listen': at }));
  t.equal(await manager.ended, 1);
  oneLine(t, manager.stderr);
  t.match(manager.stderr, `cannot listen at ${at}`);

  const other = new Role(t, runtime());
  const server = new Role(t, ['server', '--listen', at, '--runtime', await other.at(), '--log-level', 'warn']);
  t.equal(await server.ended, 1);
  oneLine(t, server.stderr);
  t.match(server.stderr, `cannot listen at ${at}`);
});

void t.test('a server whose Runtime Manager is not there', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const flags = ['--listen', 'tcp://127.0.0.1:0', '--runtime', `tcp://127.0.0.1:${port}`, '--start-timeout-ms', '300'];
  const role = new Role(t, ['server', ...flags, '--log-level', 'silent']);
  t.equal(await role.ended, 1, 'it is waited for, but not for ever');
  oneLine(t, role.stderr);
  t.match(role.stderr, 'ECONNREFUSED');
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  void t.test(`${signal} ends both in good order, with a session open`, async (t) => {
    const manager = new Role(t, runtime());
    const server = new Role(t, ['server', '--listen', 'tcp://127.0.0.1:0', '--runtime', await manager.at(), '--log-level', 'warn']);
    const client = await VeracruzClient.connect({ url: await server.at(), identity: alice, authority: authority.certificate });
    await client.writeFile('/kept', Buffer.from('kept'));
    server.child.kill(signal);
    t.equal(await server.ended, 0);
    manager.child.kill(signal);
    t.equal(await manager.ended, 0);
    t.notMatch(server.stderr + manager.stderr, /"level":[56]0|Error/, 'nothing went wrong');
    t.match(server.stdout, /^listening at http:\/\/127\.0\.0\.1:\d+\n$/);
    await t.rejects(client.readFile('/kept'));
    await client.close();
  });
}

void t.test('runtime is told who it is one way or the other', async (t) => {
  const store = join(folder, 'nobody');
  const key = join(folder, 'device.key');
  const wrong: [string, string[], RegExp][] = [
    ['nothing', [], /needs an attester; or else certificate, key and policy/],
    ['a certificate alone', ['--certificate', FILES['--certificate']], /needs an attester/],
    ['both', ['--attester', 'software', '--device-key', key, '--policy', FILES['--policy']], /needs an attester/],
    ['an attester without a key', ['--attester', 'software'], /needs --device-key/],
    ['a key without an attester', ['--device-key', key], /add that/],
    ['an attester that is none', ['--attester', 'hardware', '--device-key', key], /Allowed choices are software/],
    ['a measurement that is none', ['--attester', 'software', '--device-key', key, '--measurement', 'abc'], /64 hex digits, got 3/],
  ];
  for (const [what, flags, message] of wrong) {
    const role = new Role(t, ['runtime', '--listen', 'tcp://127.0.0.1:0', '--store', store, '--log-level', 'error', ...flags]);
    t.equal(await role.ended, 2, what);
    t.match(role.stderr, message);
  }
  t.notOk(existsSync(store));
});

void t.test('runtime with a policy that is none, and with a store that belongs to another', async (t) => {
  const policy = new Role(t, runtime({ '--policy': put('empty.json', '{}') }));
  t.equal(await policy.ended, 1);
  t.match(policy.stderr, /ERR_VC_POLICY/);
  const store = join(folder, 'shared');
  const first = new Role(t, runtime({ '--store': store }));
  await first.at();
  first.child.kill('SIGTERM');
  t.equal(await first.ended, 0);
  const second = new Role(t, runtime({ '--store': store, '--policy': put('other.json', `${POLICY}\n`) }));
  t.equal(await second.ended, 1);
  oneLine(t, second.stderr);
  t.match(second.stderr, /the store belongs to another policy \(ERR_VC_FILE_STORE\)/);
});

void t.test('runtime with the software attester: loudly, attested, initialised, and with the same key again', async (t) => {
  const keyFile = join(folder, 'own-device.key');
  const runtimeHash = RUNTIME_HASH.toString('hex');
  const start = async () => {
    const flags = ['--attester', 'software', '--device-key', keyFile, '--measurement', runtimeHash, '--log-level', 'info'];
    const role = new Role(t, ['runtime', '--listen', 'tcp://127.0.0.1:0', '--store', join(folder, `store${stores++}`), ...flags]);
    const address = parseAddress(await role.at());
    return { role, leader: await Leader.connect(t, { address }) };
  };
  const keys: unknown[] = [];
  for (let round = 0; round < 2; round++) {
    const { role, leader } = await start();
    await until('the warning', () => /INSECURE.*\n/.test(role.stderr));
    const lines = role.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const warning = lines.find(({ msg }) => String(msg).startsWith('INSECURE'));
    t.match(warning, { level: 40, protocol: 'psa', runtimeHash });
    keys.push(warning?.publicKey);
    const challenge = randomBytes(32);
    const { token, csr } = await leader.attest(challenge);
    const publicKey = Buffer.from(String(warning?.publicKey), 'hex');
    t.equal(verifyPsaToken(token, { publicKey, challenge, request: csr }).runtimeHash.toString('hex'), runtimeHash);
    t.equal(await leader.initialize(POLICY, certify(csr)), 'Success');
    t.equal(await leader.outcome({ kind: 'NewTlsSession' }), 'TlsSession');
    t.equal(statSync(keyFile).mode & 0o777, 0o600);
    role.child.kill('SIGTERM');
    t.equal(await role.ended, 0);
    t.notMatch(role.stderr, 'PRIVATE KEY');
  }
  t.equal(keys[0], keys[1]);
});

// ── The client's checks ───────────────────────────────────────────────────────────────────────────────────────────────

void t.test('the client checks policy and code of the manager, and says loudly when it is told not to', async (t) => {
  const manager = new Role(t, runtime());
  const server = new Role(t, ['server', '--listen', 'tcp://127.0.0.1:0', '--runtime', await manager.at(), '--log-level', 'warn']);
  const url = await server.at();
  const identity = ['-i', put('alice.pem', alice.certificate), '-k', put('alice.key', alice.key)];
  const data = put('data', 'some data');
  const client = async (policy: string, ...flags: string[]) => {
    const role = new Role(t, ['client', policy, ...identity, '--url', url, '-q', '-d', `/input/f=${data}`, ...flags]);
    return { code: await role.ended, stderr: role.stderr };
  };
  t.same(await client(FILES['--policy']), { code: 0, stderr: '' });

  const otherHash = put('other-hash.json', policyOf({ runtimeHashes: { linux: '00'.repeat(32) } }));
  const noHash = put('no-hash.json', policyOf({ runtimeHashes: {} }));
  const sameHash = put('same-hash.json', `${POLICY}\n`);
  const refused: [string, string[], number, RegExp][] = [
    [otherHash, [], 1, /runtime hash is none of those expected \(ERR_VC_CERTIFICATE\)/],
    [otherHash, ['--skip-policy-hash'], 1, /WARNING: the policy .*\n.*ERR_VC_CERTIFICATE/],
    [noHash, ['--skip-policy-hash'], 2, /the policy has no runtime hash/],
    [sameHash, [], 1, /the manager runs another policy \(ERR_VC_CERTIFICATE\)/],
    [sameHash, ['--skip-runtime-hash'], 1, /WARNING: the code .*\n.*another policy/],
  ];
  for (const [policy, flags, code, message] of refused) {
    const ended = await client(policy, ...flags);
    t.equal(ended.code, code, `${basename(policy)} ${flags.join(' ')}`);
    t.match(ended.stderr, message);
  }
  for (const [policy, flags, warnings] of [
    [sameHash, ['--skip-policy-hash'], 1],
    [otherHash, ['--skip-policy-hash', '--skip-runtime-hash'], 2],
    [noHash, ['--skip-policy-hash', '--skip-runtime-hash'], 2],
  ] as const) {
    const ended = await client(policy, ...flags);
    t.equal(ended.code, 0);
    t.equal(ended.stderr.match(/^veracruz-streams: WARNING: /gm)?.length, warnings, 'even with -q');
  }
});

void t.test('runtime runs programs, as far as its flags let it', async (t) => {
  const exit = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))';
  const program = put(
    'exit.wasm',
    assemble(`(module ${exit} (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const 3))))`),
  );
  const identity = ['-i', put('alice.pem', alice.certificate), '-k', put('alice.key', alice.key)];
  const compute = async (changes: Record<string, string>, ...more: string[]) => {
    const manager = new Role(t, [...runtime(changes), ...more]);
    const server = new Role(t, ['server', '--listen', 'tcp://127.0.0.1:0', '--runtime', await manager.at(), '--log-level', 'warn']);
    const flags = ['-p', `/program/exit.wasm=${program}`, '-c', '/program/exit.wasm', '--json', '-s'];
    const client = new Role(t, ['client', FILES['--policy'], ...identity, '--url', await server.at(), ...flags]);
    return { code: await client.ended, stderr: client.stderr };
  };
  const done = await compute({});
  t.equal(done.code, 1, 'as the program, it failed');
  t.match(JSON.parse(done.stderr), [{ operation: 'write' }, { operation: 'compute', name: '/program/exit.wasm', exitCode: 3 }]);
  const none = await compute({}, '--no-compute');
  t.equal(none.code, 1);
  t.match(none.stderr, /FAILED_INVALID_REQUEST to request_result/);
  for (const flag of ['--time-limit-ms', '--max-concurrent', '--max-memory-mib', '--max-output-bytes']) {
    const role = new Role(t, runtime({ [flag]: '-1' }));
    t.equal(await role.ended, 2, flag);
    t.match(role.stderr, /must be a whole number .* \(ERR_VC_INVALID_OPTION\)\n$/);
  }
});

void t.test('the client has pipelines at head only', async (t) => {
  const manager = new Role(t, runtime({ '--dialect': 'head' }));
  const flags = ['--runtime', await manager.at(), '--dialect', 'head', '--log-level', 'warn'];
  const server = new Role(t, ['server', '--listen', 'tcp://127.0.0.1:0', ...flags]);
  const identity = ['-i', put('alice.pem', alice.certificate), '-k', put('alice.key', alice.key)];
  const url = await server.at();
  const run = (...more: string[]) => new Role(t, ['client', FILES['--policy'], ...identity, '--url', url, '-q', ...more]);
  const old = run('--pipeline', '0');
  t.equal(await old.ended, 2);
  t.match(old.stderr, /has no pipelines/);
  const head = run('--dialect', 'head', '--pipeline', '0');
  t.equal(await head.ended, 1);
  t.match(head.stderr, /FAILED_INVALID_REQUEST to request_pipeline/, 'the policy has none');
});

/** Runs a command to its end. */
async function done(t: Test, ...args: string[]): Promise<void> {
  const role = new Role(t, args);
  t.equal(await role.ended, 0, role.stderr);
}

void t.test('the link with mutual TLS, with certificates that the command line makes', async (t) => {
  const at = (name: string) => join(folder, name);
  await done(t, 'identity', '--authority', 'links', '--out', at('links'));
  const ca = ['--ca', at('links.pem'), '--ca-key', at('links.key')];
  await done(t, 'identity', '--issue', 'our manager', ...ca, '--usage', 'server', '--out', at('rm'));
  await done(t, 'identity', '--issue', 'our Server', ...ca, '--usage', 'client', '--out', at('vs'));
  const tlsOf = (name: string) => ({
    '--link-certificate': at(`${name}.pem`),
    '--link-key': at(`${name}.key`),
    '--link-authority': at('links.pem'),
  });
  const manager = new Role(t, runtime(tlsOf('rm')));
  const serve = async (name: string) => {
    const flags = { '--listen': 'tcp://127.0.0.1:0', '--runtime': await manager.at(), '--log-level': 'error', ...tlsOf(name) };
    return new Role(t, ['server', ...Object.entries(flags).flat()]);
  };
  const client = await VeracruzClient.connect({ policy: POLICY, url: await (await serve('vs')).at(), identity: alice });
  await client.writeFile('/input/a', Buffer.from('x'));
  await client.close();

  const both = new Role(t, ['server', '--link-key', at('vs.key'), '--link-psk', at('vs.key')]);
  t.equal(await both.ended, 2);
  t.match(both.stderr, /--link-psk or certificates, not both/);
  const wrong = new Role(t, ['server', '--link-key', at('vs.key')]);
  t.equal(await wrong.ended, 2);
  t.match(wrong.stderr, /needs --link-certificate, --link-key and --link-authority, all three/);
});

void t.test('the one policy, and how many links', async (t) => {
  const flags = {
    '--listen': 'tcp://127.0.0.1:0',
    '--store': join(folder, `store${stores++}`),
    '--attester': 'software',
    '--log-level': 'error',
  };
  const start = (more: Record<string, string>) =>
    new Role(t, ['runtime', ...Object.entries({ ...flags, '--device-key': join(folder, 'one.key'), ...more }).flat()]);
  const other = start({
    '--expected-policy-hash': 'ab'.repeat(32),
    '--max-links': '1',
    '--link-idle-timeout-ms': '0',
    '--session-idle-timeout-ms': '60000',
  });
  const manager = { address: parseAddress(await other.at()) };
  const leader = await Leader.connect(t, manager);
  t.equal(await leader.lead(), 'Fail');
  await until('it says why', () => /ERR_VC_POLICY/.test(other.stderr));
  t.equal(await start({ '--expected-policy-hash': 'ab' }).ended, 2);
  t.equal(await start({ '--max-links': '0' }).ended, 2);
});
