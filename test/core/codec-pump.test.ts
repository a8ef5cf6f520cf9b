import t from 'tap';
import type { Codec } from '../../lib/core/codec.js';
import { CodecPump, type Sink } from '../../lib/core/codec-pump.js';

type Answer = string | Error | Promise<string | undefined>;

/** Gives, for each chunk, what the script says; and at the end what it says of the end. */
class Scripted implements Codec<string, string> {
  readonly #script: Readonly<Record<string, readonly Answer[]>>;
  #answers: Answer[] = [];
  asked = 0;
  destroyedWith: Error | null | undefined;

  constructor(script: Readonly<Record<string, readonly Answer[]>>) {
    this.#script = script;
  }
  push(chunk: string): void {
    if (chunk === 'refused') throw new Error('refused');
    this.#answers = [...(this.#script[chunk] ?? [])];
  }
  next(): string | undefined | Promise<string | undefined> {
    this.asked++;
    const answer = this.#answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  }
  end(): void {
    this.push('end');
  }
  destroy(error: Error | null): void {
    this.destroyedWith = error;
  }
}

/** A pump over a script, into a sink that has room for so many items at a time. */
function pumpOf(script: Readonly<Record<string, readonly Answer[]>>, room = Number.POSITIVE_INFINITY) {
  const codec = new Scripted(script);
  const log: string[] = [];
  const seen = { room, log, onTake: (_item: string) => {} };
  const sink: Sink<string> = {
    take(item) {
      log.push(item);
      seen.onTake(item);
      return --seen.room > 0;
    },
    end: () => void log.push('END'),
  };
  const pump = new CodecPump(codec, sink, (thrown) => log.push(`FAILED ${(thrown as Error).message}`));
  return { pump, codec, log, seen, push: (chunk: string) => pump.push(chunk, () => log.push(`done ${chunk}`)) };
}

const turn = () => new Promise((go) => setImmediate(go));

void t.test('items go to the sink, then the next chunk is asked for; the end goes on when all is given', async (t) => {
  const { pump, push, log } = pumpOf({ one: ['a', 'b'], two: [], end: ['z'] });
  t.ok(pump.idle);
  push('one');
  push('two');
  pump.end();
  t.same(log, ['a', 'b', 'done one', 'done two', 'z', 'END']);
  t.ok(pump.idle);
});

void t.test('a sink without room is given nothing until it says so', async (t) => {
  const { pump, push, log, seen, codec } = pumpOf({ one: ['a', 'b', 'c'] }, 1);
  pump.resume();
  push('one');
  await turn();
  t.same(log, ['a']);
  t.equal(codec.asked, 1);
  t.notOk(pump.idle);
  seen.room = 1;
  pump.resume();
  t.same(log, ['a', 'b'], 'one more, and no more than that');
  pump.resume();
  t.same(log, ['a', 'b', 'c'], 'the sink says no only after it has taken');
  seen.room = 10;
  pump.resume();
  t.same(log, ['a', 'b', 'c', 'done one']);
  t.ok(pump.idle);
  pump.resume();
  t.equal(codec.asked, 4, 'with nothing in hand nothing is asked');
});

void t.test('what a codec has later', async (t) => {
  const later = (item: string | undefined) => new Promise<string | undefined>((resolve) => setImmediate(() => resolve(item)));
  const { push, log, pump, seen } = pumpOf({ one: [later('a'), 'b', later(undefined)] }, 1);
  push('one');
  t.same(log, []);
  t.notOk(pump.idle);
  await later(undefined);
  await turn();
  t.same(log, ['a'], 'and the sink has no room after it');
  seen.room = 10;
  pump.resume();
  await turn();
  t.same(log, ['a', 'b', 'done one']);
});

void t.test('the end waits for the chunk in hand', async (t) => {
  const later = new Promise<string>((resolve) => setImmediate(() => resolve('a')));
  const { pump, push, log, seen } = pumpOf({ one: [later, 'b'], end: ['z'] }, 2);
  push('one');
  pump.end();
  t.same(log, []);
  await turn();
  await turn();
  t.same(log, ['a', 'b'], 'the sink has no room for more');
  seen.room = 2;
  pump.resume();
  t.same(log, ['a', 'b', 'done one', 'z', 'END']);
});

void t.test('the first fault is told, once, and nothing happens after it', async (t) => {
  const fault = new Error('bad');
  const rejected = Promise.reject<string>(fault);
  // Nobody looks at it before the codec gives it.
  rejected.catch(() => {});
  const cases: [string, Record<string, readonly Answer[]>, string[]][] = [
    ['in next', { one: ['a', fault, 'b'] }, ['a', 'FAILED bad']],
    ['later', { one: ['a', rejected, 'b'] }, ['a', 'FAILED bad']],
  ];
  for (const [what, script, expected] of cases) {
    const { pump, push, log, codec } = pumpOf(script);
    push('one');
    await turn();
    t.same(log, expected, what);
    const { asked } = codec;
    push('one');
    pump.resume();
    pump.end();
    await turn();
    t.same(log, expected, `${what}: and after it`);
    t.equal(codec.asked, asked);
  }
  const { push, log } = pumpOf({});
  push('refused');
  t.same(log, ['FAILED refused'], 'in push');
  const { pump, log: ends } = pumpOf({ end: [fault] });
  pump.end();
  t.same(ends, ['FAILED bad'], 'at the end');
});

void t.test('destroyed: also by the sink, in the middle of a chunk', async (t) => {
  const { pump, push, log, seen, codec } = pumpOf({ one: ['a', 'b', 'c'] });
  const why = new Error('gone');
  seen.onTake = (item) => {
    if (item === 'b') pump.destroy(why);
  };
  push('one');
  t.same(log, ['a', 'b']);
  t.equal(codec.destroyedWith, why);
  push('one');
  pump.end();
  pump.resume();
  t.same(log, ['a', 'b']);

  let settle: (item: string) => void = () => {};
  const late = new Promise<string>((resolve) => {
    settle = resolve;
  });
  const other = pumpOf({ one: [late, 'b'] });
  other.push('one');
  other.pump.destroy(null);
  settle('a');
  await turn();
  t.same(other.log, [], 'what comes too late is dropped');
  t.equal(other.codec.destroyedWith, null);
});
