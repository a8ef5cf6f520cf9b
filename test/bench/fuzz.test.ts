/** The fuzzer: that every target holds for a while, and that it notices a decoder that does not. */
import t from 'tap';
import { mutated, randomPieces } from '../../bench/proof/fuzz/mutate.js';
import { fuzz, replay } from '../../bench/proof/fuzz/run.js';
import { latin1, readCodec, type Target } from '../../bench/proof/fuzz/target.js';
import { allTargets } from '../../bench/proof/fuzz/targets/index.js';
import { Random } from '../../bench/proof/seed.js';
import { ProtobufError } from '../../lib/core/errors.js';
import { RecordDecoder } from '../../lib/layers/records/index.js';
import { HANG_MS } from '../support/time.js';
import { runBench } from './run.js';

const PLAN = { inputs: 600, seed: 3, maxMs: HANG_MS, maxViolations: 1 };

void t.test('every target holds', async (t) => {
  const targets = allTargets();
  t.equal(new Set(targets.map(({ name }) => name)).size, targets.length, 'each has a name of its own');
  for (const target of targets) {
    const { inputs, taken, violations } = await fuzz(target, PLAN);
    t.same(violations, [], target.name);
    t.equal(inputs, PLAN.inputs);
    t.ok(taken > 0, `${target.name} has taken some of them`);
  }
});

const records = allTargets().find(({ name }) => name === 'tls-records') as Target;
const faulty = (changes: Partial<Target>): Target => ({ ...records, ...changes });

void t.test('a decoder that misbehaves on some input is noticed, and its input fails again', async (t) => {
  const planted: Record<string, Target> = {
    'foreign error': faulty({
      read: (pieces) => {
        if (pieces.some((piece) => piece.length > 3 && piece[3] === 0xff)) throw new TypeError('planted');
        return records.read(pieces);
      },
    }),
    'another value': faulty({
      // Forgets the first byte of a piece that begins inside a record.
      read: (pieces) => readCodec(new RecordDecoder(), pieces, (item) => latin1(item === pieces[0] ? item : item.subarray(1))),
    }),
    instead: faulty({
      read: (pieces) =>
        pieces.some(({ length }) => length === 3) ? { given: '', error: new ProtobufError('planted') } : records.read(pieces),
    }),
    wrong: faulty({ check: (input) => (input.includes('\x17\x03\x03\0\x05') ? 'wrong' : undefined) }),
    'took ': faulty({ read: () => ({ given: String(Array.from({ length: 200_000 }, String).sort().length) }) }),
  };
  for (const [word, target] of Object.entries(planted)) {
    const { violations } = await fuzz(target, { ...PLAN, maxMs: word === 'took ' ? 1 : HANG_MS });
    t.match(violations, [{ target: 'tls-records' }], word);
    t.ok(violations[0]?.what.includes(word), word);
    if (word !== 'took ') t.ok((await replay(target, violations[0]?.input as Buffer, 1))?.includes(word), 'again');
  }
});

void t.test('a peer that reads another value is noticed', async (t) => {
  const target = allTargets().find(({ name }) => name === 'protobuf-peers-RuntimeManagerRequest') as Target;
  const { violations } = await fuzz(
    { ...target, read: async (pieces) => ({ ...(await target.read(pieces)), given: '{"context":77}' }) },
    PLAN,
  );
  t.match(violations, [{ what: /but protobufjs: / }]);
});

void t.test('a seed decides all of it', async (t) => {
  const sequence = (seed: number, label = '') => {
    const random = new Random(seed, label);
    const corpus = [Buffer.from('one'), Buffer.from('another')];
    return Array.from({ length: 50 }, () => randomPieces(mutated(random.pick(corpus), random, corpus), random).map(latin1));
  };
  t.same(sequence(1), sequence(1));
  t.notSame(sequence(1), sequence(2));
  t.notSame(sequence(1), sequence(1, 'label'));
  for (const pieces of sequence(4)) t.ok(pieces.length > 0 || pieces.join('') === '');
});

void t.test('the command', async (t) => {
  const { code, stdout, stderr } = await runBench('proof/fuzz/main', ['base64', '--inputs', '2000', '--seed', '5']);
  t.equal(code, 0, stderr);
  t.match(stdout, /^target .*\nbase64 +2,000 .*\nmemory .*\nno violation, seed 5, Node v/);
  const again = await runBench('proof/fuzz/main', ['tls', '--replay', '1703030001ff']);
  t.match(again, { code: 0, stdout: 'tls-records: as it should be\ntls-first-record: as it should be\n' });
  t.match(await runBench('proof/fuzz/main', ['nothing']), { code: 1, stderr: /no such target: nothing; there are protobuf-/ });
});
