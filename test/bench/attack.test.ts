/** Small attacks: that the command works, counts right, and can fail. How fast anything was, no test asks. */
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import t from 'tap';
import { ATTACK_NAMES } from '../../bench/attack/attacks.js';
import { isBack, judge } from '../../bench/attack/goals.js';
import { type Outcome, type Phase, runAttack } from '../../bench/attack/run.js';
import { madeUpChain } from '../../bench/attack/support/certificates.js';
import { withFlippedLength } from '../../bench/attack/support/hostile-server.js';
import type { Weakened } from '../../bench/attack/target.js';
import { Part } from '../../bench/harness/part.js';
import type { AttackerTask } from '../../bench/parts/attacker.js';
import { runBench } from './run.js';

const LINUX = process.platform === 'linux';
const SMALL = { seconds: 2, processes: 2, seed: 1, nice: 0 } as const;

/** A Server that waits for ever for whoever has opened a session. */
const UNLIMITED = {
  maxSessionsPerAddress: 0,
  maxUnadmittedSessionsPerAddress: 0,
  helloTimeoutMs: 600_000,
  handshakeTimeoutMs: 600_000,
  idleTimeoutMs: 0,
};

/** Goals that were missed, without those about time and about what a busy machine does. */
function missed({ goals }: Pick<Outcome, 'goals'>): string[] {
  return goals.filter(({ goal, met }) => !met && /^(memory|all as before|\w[\w ]*: never|the attack)/.test(goal)).map(({ goal }) => goal);
}

/** The fields of a process or thread behind its name, from the third (proc(5), stat). */
const fieldsOf = (path: string) =>
  readFileSync(path, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
const sessionOf = (pid: number) => fieldsOf(`/proc/${pid}/stat`)[3];
const prioritiesOf = (pid: number) => readdirSync(`/proc/${pid}/task`).map((id) => Number(fieldsOf(`/proc/${pid}/task/${id}/stat`)[16]));

const attack = (name: Outcome['name'], more: { seconds?: number; weakened?: Weakened } = {}) => runAttack({ name, ...SMALL, ...more });

void t.test('without a name the attacks are listed, and wrong use is told', async (t) => {
  const { code, stdout } = await runBench('attack/main', []);
  t.equal(code, 0);
  t.same(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]),
    ATTACK_NAMES,
  );
  for (const args of [['dances'], ['tables', '--seconds', '0'], ['tables', '--seed', 'x']])
    t.equal((await runBench('attack/main', args)).code, 1);
});

void t.test('the command tells what it did, what honest clients saw, and each goal', { skip: !LINUX }, async (t) => {
  const { stdout, stderr } = await runBench('attack/main', ['session-ids', '--seconds', '2', '--processes', '2', '--nice', '0', '--json']);
  const outcome = JSON.parse(stdout) as Outcome;
  t.match(outcome, { name: 'session-ids', seconds: 2, processes: 2, seed: 1 }, stderr);
  for (const phase of ['quiet', 'attack'] as const) t.ok(outcome[phase].seen.request.length > 0, `honest clients in the ${phase} phase`);
  for (const role of ['server', 'manager']) {
    const { rss, descriptors, sessions } = outcome.quiet.held[role] ?? {};
    t.ok((rss ?? 0) > 2 ** 20 && (descriptors ?? 0) > 3, `memory and descriptors of the ${role}`);
    t.type(sessions, 'number');
  }
  t.ok(Object.values(outcome.counts).some((count) => count > 0));
  t.equal(outcome.counts['id guessed'] ?? 0, 0);
});

void t.test(
  'an attacker is less urgent than a role, with all its threads, in the same group of the scheduler',
  { skip: !LINUX },
  async (t) => {
    const [role, attacker] = [new Part('role', 'server'), new Part('attacker', 'attacker')];
    t.teardown(() => Promise.all([role.end(), attacker.end()]));
    const task = { name: 'nothing', number: 0, seed: 1, nice: 7, milliseconds: 100, target: {} } as unknown as AttackerTask;
    await attacker.ask('attack', task);
    t.same(new Set(prioritiesOf(attacker.pid)), new Set([7]));
    t.same(new Set(prioritiesOf(role.pid)), new Set([getPriority()]));
    t.equal(sessionOf(attacker.pid), sessionOf(role.pid), 'priorities of different sessions are not compared');
  },
);

void t.test('a stranger does not take a manager over', async (t) => {
  const outcome = await attack('takeover');
  t.ok((outcome.counts.refused ?? 0) > 0);
  t.same(missed(outcome), []);
});

void t.test('strangers with made-up certificates stay out', async (t) => {
  const outcome = await attack('certificates');
  t.ok((outcome.counts.refused ?? 0) > 0);
  t.same(missed(outcome), []);
});

void t.test('a hostile Server neither hangs its clients nor deceives them', async (t) => {
  const outcome = await attack('silence');
  t.same(
    missed(outcome).filter((goal) => !goal.startsWith('the attack')),
    [],
  );
});

void t.test('where sessions are not limited, strangers leave some behind, and it is seen', { skip: !LINUX }, async (t) => {
  const outcome = await attack('tables', { seconds: 5, weakened: { server: UNLIMITED } });
  t.ok((outcome.counts['opened by POST'] ?? 0) > 5);
  t.same(missed(outcome), ['all as before 10 s after the attack']);
  t.match(outcome.goals.find(({ goal }) => goal.startsWith('all'))?.seen, /^server sessions \d+ → \d+/);
});

// ── Without processes ────────────────────────────────────────────────────────────────────────────────────────────────

const phase = (ms: number, longest = 100): Phase => ({
  seen: { connect: Array(20).fill(ms), request: Array(20).fill(ms), compute: [], refused: {}, longest: { request: longest, compute: 0 } },
  held: { server: { rss: 100 * 2 ** 20, descriptors: 20, sessions: 4 } },
});

const judged = (changes: Partial<Outcome>, never = {}) =>
  judge(
    { quiet: phase(10), attack: phase(30), after: phase(10), left: phase(10).held, backMs: 300, counts: { tried: 1 }, ...changes },
    never,
  )
    .filter(({ met }) => !met)
    .map(({ goal }) => goal);

void t.test('goals are met up to their limits, and missed beyond', (t) => {
  const [connect, request] = ['connect', 'request'].map(
    (kind) => `p99 of each ${kind}: at most 3 times the quiet one, and 250 ms above it`,
  );
  t.same(judged({}), []);
  t.same(judged({ attack: phase(31) }), [connect, request], 'three times');
  t.same(judged({ quiet: phase(200), attack: phase(450) }), []);
  t.same(judged({ quiet: phase(200), attack: phase(451) }), [connect, request], '250 ms');
  t.same(judged({ attack: { ...phase(10), seen: { ...phase(10).seen, request: [1] } } }), [request], 'too few');
  t.same(judged({ attack: phase(10, 2000) }), []);
  t.same(judged({ after: phase(10, 2001) }), ['no honest client goes unserved for 2000 ms']);
  const heavy = { ...phase(10), held: { server: { rss: 257 * 2 ** 20, descriptors: 1, sessions: 1 } } };
  t.same(judged({ attack: heavy }), ['memory of the server at most 256 MiB']);
  t.same(judged({ backMs: null }), ['all as before 10 s after the attack']);
  t.same(judged({ counts: { tried: 1, fell: 1 } }, { fell: 'it stands' }), ['fell: never (it stands)']);
  t.same(judged({ counts: {} }), ['the attack was carried out']);
  const held = (more: object) => ({ server: { rss: 100 * 2 ** 20, descriptors: 20, sessions: 4, ...more } });
  t.ok(isBack(held({}), held({ sessions: 8, descriptors: 28 })));
  t.notOk(isBack(held({}), held({ sessions: 9 })));
  t.notOk(isBack(held({}), held({ descriptors: 29 })));
  t.notOk(isBack(held({}), held({ rss: 165 * 2 ** 20 })));
  t.end();
});

void t.test('what the attacks are made of', (t) => {
  const { certificate } = madeUpChain(3);
  const chain = certificate.split(/(?=-----BEGIN)/).map((pem) => new X509Certificate(pem));
  t.equal(chain.length, 4);
  chain.slice(1).forEach((above, i) => {
    t.ok(chain[i]?.checkIssued(above), 'each seems to be issued by the next');
    t.notOk(chain[i]?.verify(above.publicKey), 'and is not');
    t.equal(above.publicKey.asymmetricKeyDetails?.modulusLength, 16_384);
  });
  const body = `7 ${Buffer.from('1703030004aabbccdd', 'hex').toString('base64')}`;
  t.equal(Buffer.from(withFlippedLength(body, 0).slice(2), 'base64').toString('hex'), '1703030104aabbccdd');
  t.equal(Buffer.from(withFlippedLength(body, 8).slice(2), 'base64').toString('hex'), '1703030005aabbccdd');
  t.equal(withFlippedLength('7 ', 0), '7 ');
  t.end();
});
