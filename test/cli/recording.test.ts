/** `--trace` and `--pcap` of every role, as processes: what is written, and what inspect draws of it. */
import { spawnSync } from 'node:child_process';
import { linkSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { LayerTraffic } from '../../lib/pipeline/diagnostics.js';
import { within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { alice, Child, content, freshFolder, policyOf } from '../support/roles.js';
import '../support/processes.js';
import { HANG_MS } from '../support/time.js';
import { type AnyLine, linesOf, sumsOf } from '../support/traces.js';
import { directionsOf, noTshark, tshark } from '../support/tshark.js';

const MAIN = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');

/** The stacks that each role has opened in the exchange below. */
const STACKS: Readonly<Record<string, readonly string[]>> = {
  client: ['protobuf,length-prefix,tls,records,base64,session'],
  server: ['base64,session', 'bincode,frame', 'protobuf,length-prefix,base64', 'protobuf,length-prefix,base64'],
  runtime: ['bincode,frame', 'protobuf,length-prefix,tls'],
  attestation: ['protobuf,length-prefix,base64', 'protobuf,length-prefix,base64'],
};
const BYTES = 300_000;
const FLAGS = ['--log-level', 'error', '--listen', 'tcp://127.0.0.1:0'];

/** Runs all four roles: a manager is attested, and a client writes a file and reads it back. Everything is recorded. */
async function exchange(t: Pick<Test, 'teardown'>): Promise<(name: string) => string> {
  const folder = freshFolder(t);
  const at = (name: string) => join(folder, name);
  const cli = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { cwd: folder, encoding: 'utf8', timeout: HANG_MS });
    if (status !== 0) throw new Error(`${args[0]} ended with ${status}: ${stderr}`);
    return stdout.trim();
  };
  const role = async (...args: string[]) => {
    const child = new Child(t, [MAIN, ...args, ...FLAGS]);
    return { child, at: (await child.line()).replace('listening at ', '') };
  };
  cli('identity', 'alice');
  cli('device', 'device.key', '--out', 'device.pem');
  cli('attest', 'enroll', 'device.pem');
  const hash = cli('measure');
  const attest = await role('attest', 'serve', '--state', at('attestation'), '--allow-any-runtime', '--trace', at('attestation.jsonl'));
  const runtime = await role(
    ...['runtime', '--store', at('files'), '--attester', 'software', '--device-key', at('device.key'), '--no-compute'],
    ...['--trace', at('runtime.jsonl'), '--pcap', at('runtime.pcap')],
  );
  cli(
    ...['policy', 'create', '-c', 'alice.pem', '-p', '/:rw', '-s', '127.0.0.1:1', '-t', new URL(attest.at).host],
    ...['--proxy-attestation-server-cert', 'attestation/ca.pem', '--runtime-hash', hash, '-x', '2040-01-01', '-o', 'policy.json'],
  );
  const server = await role('server', '--policy', at('policy.json'), '--runtime', runtime.at, '--trace', at('server.jsonl'));
  writeFileSync(at('sent'), content(BYTES));
  cli(
    ...['client', 'policy.json', '-i', 'alice.pem', '-k', 'alice.key', '--url', server.at, '-d', '/a=sent', '-o', '/a=got', '-n', '-q'],
    ...['--trace', 'client.jsonl', '--pcap', 'client.pcap'],
  );
  for (const { child } of [server, runtime, attest]) {
    child.process.kill('SIGTERM');
    await within('the end of a role', child.exited);
  }
  return at;
}

void t.test('all four roles, recorded', async (t) => {
  const at = await exchange(t);
  t.ok(readFileSync(at('sent')).equals(readFileSync(at('got'))), 'the file is what it was');

  for (const [role, stacks] of Object.entries(STACKS)) {
    await t.test(`the trace of the ${role}`, async (t) => {
      t.equal(statSync(at(`${role}.jsonl`)).mode & 0o777, 0o600);
      const [head, ...lines] = linesOf(at(`${role}.jsonl`));
      t.match(head, { event: 'trace', role, bytes: 0 });
      const opens = lines.filter(({ event }) => event === 'open');
      t.same(opens.map(({ layers }) => layers.join()).sort(), stacks);
      for (const { connection, traffic } of lines.filter(({ event }) => event === 'close')) checkSums(t, lines, connection, traffic);
      t.equal(lines.filter(({ event }) => event === 'close').length, stacks.length, 'all of them have closed');
      const text = readFileSync(at(`${role}.jsonl`), 'latin1');
      t.notOk(text.includes('"first"') || text.includes('PRIVATE KEY') || text.includes('/a'), 'no payload');
    });
  }

  await t.test('inspect draws each', async (t) => {
    for (const role of Object.keys(STACKS)) {
      const { status, stdout, stderr } = inspect('--trace', at(`${role}.jsonl`), '--svg', at(`${role}.svg`));
      t.equal(status, 0, stderr);
      t.match(stdout, new RegExp(`^trace of ${role}, from `));
      t.match(readFileSync(at(`${role}.svg`), 'utf8'), /^<svg [\s\S]*<\/svg>\n$/);
    }
    const { stdout } = inspect('--trace', at('client.jsonl'));
    const arrows = ['── #1 TLS handshake', '◀─ #1 TLS handshake', '── #1 request_policy_hash', '◀─ #1 policy_hash SUCCESS'];
    const rest = ['── #1 write_file', '◀─ #1 SUCCESS', '── #1 read_file', '◀─ #1 result SUCCESS'];
    const places = [...arrows, ...rest].map((arrow) => stdout.indexOf(arrow));
    t.ok(
      places.every((place) => place > 0),
      stdout,
    );
    t.same(
      places,
      places.toSorted((a, b) => a - b),
      'in their order',
    );
  });

  await t.test('the captures, as tshark reads them', { skip: noTshark }, async (t) => {
    for (const role of ['client', 'runtime']) {
      const path = at(`${role}.pcap`);
      t.equal(statSync(path).mode & 0o777, 0o600);
      const closes = linesOf(at(`${role}.jsonl`)).filter(({ event }) => event === 'close');
      const { outbound, inbound } = closes
        .flatMap(({ traffic }) => traffic as LayerTraffic[])
        .find(({ layer }) => layer === 'tls') as LayerTraffic;
      const [up, down] = role === 'client' ? [outbound.bytesOut, inbound.bytesIn] : [inbound.bytesIn, outbound.bytesOut];
      t.same(directionsOf(path), { up, down }, `${role}: the bytes of its TLS layer`);
      const hellos = tshark(path, '-Y', 'tls.handshake.type', '-T', 'fields', '-e', 'ip.src', '-e', 'tls.handshake.type');
      t.same(hellos, ['192.0.2.2\t1', '192.0.2.1\t2'], `${role}: ClientHello, ServerHello`);
    }
  });
});

function checkSums(t: Test, lines: readonly AnyLine[], connection: number, traffic: readonly LayerTraffic[]): void {
  t.same(sumsOf(lines, connection), traffic, `connection ${connection}`);
  for (const { layer, outbound, inbound } of traffic) {
    t.ok(outbound.bytesOut > 0 && inbound.bytesIn > 0, `connection ${connection}: ${layer} in both directions`);
  }
}

/** A client whose Server is not there, with all that it needs in a folder. */
function clientOf(folder: string): string[] {
  const put = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const { certificate, key } = alice;
  return [
    ...['client', put('policy.json', policyOf()), '-i', put('alice.pem', certificate), '-k', put('alice.key', key)],
    ...['-s', '--url', 'http://127.0.0.1:1'],
  ];
}

function inspect(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, 'inspect', ...args], { encoding: 'utf8', timeout: HANG_MS });
}

void t.test('wrong use', async (t) => {
  const folder = freshFolder(t);
  const base = clientOf(folder);
  symlinkSync('a', join(folder, 'link to a'));
  symlinkSync(folder, join(folder, 'link to the folder'));
  writeFileSync(join(folder, 'trace'), '{"event":"trace",');
  linkSync(join(folder, 'trace'), join(folder, 'hard link'));
  const at = (name: string) => join(folder, name);
  const same = /^veracruz-streams: --trace .* and --pcap .* are the same file: each needs one of its own \(ERR_VC_INVALID_ARGUMENT\)/;
  const cases: [string[], RegExp][] = [
    [[...base, '--trace', folder], /^veracruz-streams: cannot write .*: EISDIR/],
    [[...base, '--pcap', join(folder, 'no', 'file')], /^veracruz-streams: cannot write .*: ENOENT/],
    [[...base, '--trace-bytes', '5'], /--trace-bytes says what --trace writes/],
    [[...base, '--trace', join(folder, 'a'), '--trace-bytes', '65537'], /--trace-bytes must be a whole number from 0 to 65536/],
    [[...base, '--trace', at('a'), '--pcap', at('a')], same],
    [[...base, '--trace', at('a'), '--pcap', `${folder}/./none/../a`], same],
    [[...base, '--trace', at('a'), '--pcap', at('link to a')], same],
    [[...base, '--trace', at('link to the folder/a'), '--pcap', at('a')], same],
    [[...base, '--trace', at('trace'), '--pcap', at('hard link')], same],
    [['runtime', '--store', at('store'), '--trace', at('a'), '--pcap', at('a')], same],
    [[...base, '--trace', at('a'), '-o', `/f=${at('link to a')}`], /--trace .* and the output .* are the same file/],
    [[...base, '--pcap', at('a'), '-o', `/f=${at('a')}`], /--pcap .* and the output .* are the same file/],
    [[...base, '-o', `/f=${at('a')},/g=${at('link to a')}`], /\/f and \/g go to the same file/],
    [['inspect', '--trace', at('trace'), '--svg', at('hard link')], /--svg .* would replace the trace/],
    [['server', '--pcap', 'x'], /unknown option '--pcap'/],
    [['inspect', '--trace', 'x', '--json'], /--trace and --json do not go together/],
    [['inspect', '--trace', 'x', 'y'], /--trace and y do not go together/],
    [['inspect', '--layer', 'frame', '--svg', 'x', MAIN], /--svg draws a trace/],
    [['inspect', MAIN], /say with which layer the input begins: '--layer <name>'/],
  ];
  for (const [args, says] of cases) {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: HANG_MS });
    t.equal(status, 2, args.join(' '));
    t.match(stderr, says);
  }
  t.same(readdirSync(folder).sort(), ['alice.key', 'alice.pem', 'hard link', 'link to a', 'link to the folder', 'policy.json', 'trace']);
  t.equal(readFileSync(at('trace'), 'utf8'), '{"event":"trace",', 'an earlier trace stays as it is');
});

void t.test('two recordings may go to the same device', async (t) => {
  const args = [...clientOf(freshFolder(t)), '--trace', '/dev/null', '--pcap', '/dev/null'];
  const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: HANG_MS });
  t.match({ status, stderr }, { status: 1, stderr: /cannot connect to 127\.0\.0\.1:1/ });
});

void t.test('first bytes are warned of, and what was traced is there when the client fails', async (t) => {
  const folder = freshFolder(t);
  const path = join(folder, 'trace');
  const args = [...clientOf(folder), '--trace', path, '--trace-bytes', '16'];
  const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: HANG_MS });
  t.equal(status, 1);
  t.match(stderr, /^veracruz-streams: WARNING: the first 16 bytes of all that passes go into .*: plaintext, too \(--trace-bytes\)\n/);
  t.match(linesOf(path), [{ event: 'trace', role: 'client', bytes: 16 }]);
});
