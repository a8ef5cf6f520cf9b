/** One crash after the other, and what is there afterwards. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Random } from '../seed.js';
import type { Operation, Said, Task } from './client.js';
import { listsOf } from './content.js';
import type { Deployment, RoleName } from './deployment.js';
import { judgeFile, judgeLog, judgeOutput, type Told } from './judge.js';
import { OUTPUT } from './names.js';
import { HANG_MS, isRunning, pause, type Running, until } from './processes.js';

export type Kind = Operation | 'attestation';
export type Victim = 'client' | RoleName;

/** Who is killed in what. */
export const VICTIMS: Readonly<Record<Kind, readonly Victim[]>> = {
  write: ['client', 'server', 'manager'],
  append: ['client', 'server', 'manager'],
  read: ['client', 'server', 'manager'],
  compute: ['client', 'server', 'manager'],
  attestation: ['attest', 'server', 'manager'],
};

const CLIENT = fileURLToPath(new URL('./client.js', import.meta.url));
/** Milliseconds within which the kill falls, from the first operation, or from the manager's start on. */
const WITHIN_MS = 1000;
/** Milliseconds that what a killed process has started may take to end, and its folder to go. */
const ORPHAN_MS = 30_000;

export interface RoundFigures {
  readonly kind: Kind;
  readonly victim: Victim;
  /** Operations that were acknowledged before the kill. */
  readonly acknowledged: number;
  /** Milliseconds from when the killed process is back to when a client can write; undefined when a client was killed. */
  readonly backMs: number | undefined;
  readonly violations: readonly string[];
}

export async function crashRound(deployment: Deployment, kind: Kind, victim: Victim, round: number, random: Random): Promise<RoundFigures> {
  const wrong: string[] = [];
  const expect = (what: string | undefined) => {
    if (what !== undefined) wrong.push(`${kind}, ${victim} killed, round ${round}: ${what}`);
  };
  const [told, started] =
    kind === 'attestation'
      ? [undefined, await killInAttestation(deployment, victim as RoleName, random)]
      : await killInWork(deployment, kind, victim, round, random, expect);
  if (victim !== 'client') await deployment.bring(victim);
  const backMs = await deployment.usable();
  if (told !== undefined) expect(await judged(deployment, kind, round, told));
  await until('the end of what it had started', () => !started.some(isRunning), ORPHAN_MS).catch(() => expect('a process is left'));
  await until('the end of its folders', () => deployment.runFolders().length === 0, ORPHAN_MS).catch(() =>
    expect('a folder of a run is left'),
  );
  return { kind, victim, acknowledged: told?.acknowledged ?? 0, backMs: victim === 'client' ? undefined : backMs, violations: wrong };
}

/** The manager is started anew, so that the Server attests it; somewhere in that, the victim is killed. */
async function killInAttestation(deployment: Deployment, victim: RoleName, random: Random): Promise<readonly Running[]> {
  const started = [...(await deployment.kill('manager'))];
  await deployment.bring('manager');
  await pause(random.below(WITHIN_MS));
  started.push(...(await deployment.kill(victim)));
  return started;
}

/** A client works, and somewhere in that the victim is killed. */
async function killInWork(
  deployment: Deployment,
  operation: Operation,
  victim: Victim,
  round: number,
  random: Random,
  expect: (what: string | undefined) => void,
): Promise<[Told, readonly Running[]]> {
  const client = new ClientProcess({ operation, round, url: deployment.url, policy: deployment.policy, identity: keysOf(deployment) });
  await client.begun;
  await pause(random.below(WITHIN_MS));
  const started = victim === 'client' ? [] : await deployment.kill(victim);
  if (victim === 'client') client.kill();
  await client.ended().catch((error: Error) => {
    client.kill();
    expect(error.message);
  });
  if (client.wrong !== undefined) expect(client.wrong);
  const { error } = client;
  const next = error === undefined || error === 'ERR_VC_OUTCOME_UNKNOWN' ? 'unknown' : 'refused';
  return [{ acknowledged: client.acknowledged, next, error }, started];
}

async function judged(deployment: Deployment, kind: Kind, round: number, told: Told): Promise<string | undefined> {
  if (kind === 'write') return judgeFile(round, told, await deployment.read(`/write/${round}`));
  if (kind === 'append') return judgeLog(round, told, (await deployment.read(`/log/${round}`)) ?? Buffer.alloc(0));
  if (kind !== 'compute' || told.acknowledged === 0) return undefined;
  return judgeOutput((i) => listsOf(i).common, told, await deployment.read(OUTPUT));
}

const keysOf = ({ identity: { certificate, key } }: Deployment) => ({ certificate, key });

class ClientProcess {
  acknowledged = 0;
  error: string | undefined;
  wrong: string | undefined;
  readonly begun: Promise<void>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(task: Task) {
    this.#child = fork(CLIENT, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    // After the exit, messages may still be on their way; the channel's end comes behind the last.
    this.#exited = Promise.all([once(this.#child, 'exit'), once(this.#child, 'disconnect')]);
    this.begun = new Promise((resolve, reject) => {
      this.#child.on('message', (said: Said) => {
        if (said.kind === 'begun') resolve();
        else if (said.kind === 'acknowledged') this.acknowledged++;
        else if (said.kind === 'wrong') this.wrong = said.what;
        else this.error = said.code;
      });
      this.#child.once('exit', () => reject(new Error(`the client did not begin: ${this.error}`)));
    });
    this.#child.send(task);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Waits until it has failed, or is dead. */
  async ended(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const hang = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the client hangs ${HANG_MS} ms after the kill`)), HANG_MS);
    });
    await Promise.race([this.#exited, hang]).finally(() => clearTimeout(timer));
  }
}
