/** `veracruz-streams attest` as processes, and the exchange of a Veracruz Server with it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bodyOf, Device, type HttpAnswer, http, messageOf } from '../roles/attestation-server-support.js';
import { putDatabase } from '../support/databases.js';
import { until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import '../support/processes.js';
import { HANG_MS } from '../support/time.js';

type T = Pick<Test, 'teardown'>;

const MAIN = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');
export const folder = mkdtempSync(join(tmpdir(), 'vc-attest-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

let states = 0;
/** A state folder that is not there yet. */
export const freshState = () => join(folder, `state${states++}`);

/** A state folder with an empty database in it. */
export async function emptyState(): Promise<string> {
  const state = freshState();
  await putDatabase(join(state, 'registry'));
  return state;
}

export const put = (name: string, text: string) => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};
export const idOf = (device: Device) => createHash('sha256').update(device.point).digest('hex');

/** A command that ends by itself. */
export function attest(args: readonly string[], env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'attest', ...args], {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, ...env },
    timeout: HANG_MS,
  });
  return { status, stdout, stderr };
}

/** A server of the command line. */
export class Server {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  stdout = '';
  stderr = '';

  constructor(t: T, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const flags = ['--listen', 'tcp://127.0.0.1:0', '--max-requests-per-second', '0', ...args];
    this.child = spawn(process.execPath, [MAIN, 'attest', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: folder,
      env: { ...process.env, ...env },
    });
    this.ended = once(this.child, 'close').then(([code, signal]) => (code ?? signal) as unknown);
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    t.teardown(async () => {
      this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  async url(): Promise<string> {
    await until('its address', () => {
      if (this.child.exitCode !== null) throw new Error(`it ended: ${this.stderr}`);
      return this.stdout.includes('\n');
    });
    return this.stdout.replace(/^listening at (.*)\n$/, '$1');
  }

  async end(signal: NodeJS.Signals): Promise<unknown> {
    this.child.kill(signal);
    return within('its end', this.ended);
  }
}

/** All of it, as the Veracruz Server does it. */
export async function certified(url: string, device: Device): Promise<{ deviceId: number; token: Buffer; answer: HttpAnswer }> {
  const started = messageOf(await http(url, { path: '/Start', body: bodyOf({ oneof: 'start_msg', fields: { protocol: 'psa' } }) }));
  if (started.oneof !== 'psa_attestation_init') throw new Error('no challenge');
  const { challenge, device_id } = started.fields;
  const token = device.token(challenge);
  const body = bodyOf({ oneof: 'native_psa_attestation_token', fields: { token, device_id, csr: device.csr } });
  return { deviceId: device_id, token, answer: await http(url, { path: '/PSA/AttestationToken', body }) };
}

export async function known(url: string, deviceId: number, token: Buffer, device: Device): Promise<boolean> {
  const fields = { token, pubkey: device.point, device_id: deviceId };
  const { status } = await http(url, { path: '/VerifyPAT', body: bodyOf({ oneof: 'proxy_psa_attestation_token', fields }) });
  return status === 200;
}

/** A device of which the registry at `where` knows all that it must. */
export function enrolled(t: Test, where: readonly string[]): Device {
  const device = new Device();
  const pem = put('device.pem', device.publicPem);
  const enrol = attest(['enroll', pem, '--label', 'rack 7', ...where]);
  t.equal(enrol.stdout, `enrolled ${idOf(device)}\n`, enrol.stderr);
  const allow = attest(['allow', 'linux', device.runtimeHash.toString('hex'), ...where]);
  t.equal(allow.status, 0, allow.stderr);
  return device;
}
