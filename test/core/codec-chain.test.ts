import fc from 'fast-check';
import t from 'tap';
import type { Codec } from '../../lib/core/codec.js';
import { CodecChain, stageOf } from '../../lib/core/codec-chain.js';
import { CodecStream } from '../../lib/core/codec-stream.js';
import { LimitError, TruncatedError } from '../../lib/core/errors.js';
import { feed } from '../support/feed.js';
import { seeded } from '../support/splits.js';

type Answer = Buffer | undefined;

/** What a codec of these tests makes of its input: items for each chunk, and items for its end. */
interface Rule {
  readonly name: string;
  readonly onChunk: (chunk: Buffer) => Buffer[];
  readonly onEnd: () => Buffer[];
}

/** Keeps to the contract and sees to it that others do: pushed to only when it was dry, ended once, dry. */
class Ruled implements Codec<Buffer, Buffer> {
  readonly #rule: Rule;
  readonly #late: boolean;
  #items: Buffer[] = [];
  #dry = true;
  ended = false;
  destroyedWith: Error | null | undefined;

  constructor(rule: Rule, late: boolean) {
    this.#rule = rule;
    this.#late = late;
  }
  push(chunk: Buffer): void {
    if (!this.#dry || this.ended) throw new Error(`${this.#rule.name} was given a chunk that it had not asked for`);
    this.#dry = false;
    this.#items = this.#rule.onChunk(chunk);
  }
  next(): Answer | Promise<Answer> {
    const item = this.#items.shift();
    if (item === undefined) this.#dry = true;
    return this.#late ? new Promise((resolve) => setImmediate(() => resolve(item))) : item;
  }
  end(): void {
    if (!this.#dry || this.ended) throw new Error(`${this.#rule.name} was ended while it had something to give`);
    this.ended = true;
    this.#items = this.#rule.onEnd();
  }
  destroy(error: Error | null): void {
    this.destroyedWith = error;
  }
}

const bytes = (...values: number[]) => Buffer.from(values);
const RULES: (() => Rule)[] = [
  () => ({ name: 'same', onChunk: (chunk) => [chunk], onEnd: () => [] }),
  () => ({ name: 'split', onChunk: (chunk) => [...chunk].map((byte) => bytes(byte)), onEnd: () => [] }),
  () => ({ name: 'drop', onChunk: (chunk) => ((chunk[0] as number) % 2 === 0 ? [] : [chunk]), onEnd: () => [] }),
  () => ({ name: 'mark', onChunk: (chunk) => [bytes(201), chunk], onEnd: () => [bytes(202), bytes(203)] }),
  () => {
    let held = Buffer.alloc(0);
    return {
      name: 'hoard',
      onChunk: (chunk) => {
        held = Buffer.concat([held, chunk]);
        return [];
      },
      onEnd: () => [held],
    };
  },
];

/** What the rules make of `chunks`, one rule after the other. */
function expected(rules: readonly Rule[], chunks: readonly Buffer[]): Buffer[] {
  return rules.reduce<Buffer[]>((input, rule) => [...input.flatMap((chunk) => rule.onChunk(chunk)), ...rule.onEnd()], [...chunks]);
}

void t.test('a chain gives what its codecs give one after the other, late answers and all', async (t) => {
  const chosen = fc.record({ rule: fc.nat(RULES.length - 1), late: fc.boolean() });
  const chunks = fc.array(
    fc.uint8Array({ minLength: 1, maxLength: 6 }).map((values) => Buffer.from(values)),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(chosen, { minLength: 1, maxLength: 5 }), chunks, async (choice, input) => {
      const make = () => choice.map(({ rule }) => (RULES[rule] as () => Rule)());
      const codecs = make().map((rule, i) => new Ruled(rule, choice[i]?.late === true));
      const stages = codecs.map((codec, i) => stageOf(`layer ${i}`, codec as Codec<unknown, unknown>));
      const { items, error } = await feed(new CodecStream<Buffer, Buffer>('chain', new CodecChain(stages) as Codec<Buffer, Buffer>), input);
      t.equal(error, undefined);
      t.same(items, expected(make(), input));
      t.ok(
        codecs.every((codec) => codec.ended),
        'every codec was told of its end',
      );
      for (let i = 0; i + 1 < stages.length; i++) {
        t.equal(stages[i]?.traffic.bytesOut, stages[i + 1]?.traffic.bytesIn, 'what one gave the next was given');
      }
    }),
    seeded(300),
  );
});

void t.test('items are taken one at a time', (t) => {
  const split = new Ruled((RULES[1] as () => Rule)(), false);
  let given = 0;
  const counting: Codec<Buffer, Buffer> = {
    push: (chunk) => {
      given++;
      held = chunk;
    },
    next: () => {
      const item = held;
      held = undefined;
      return item;
    },
    end: () => {},
  };
  let held: Buffer | undefined;
  const chain = new CodecChain([stageOf('split', split), stageOf('count', counting)]);
  chain.push(bytes(1, 2, 3, 4));
  t.same(chain.next(), bytes(1));
  t.equal(given, 1, 'the second was not made before it was asked for');
  t.same([chain.next(), chain.next(), chain.next(), chain.next()], [bytes(2), bytes(3), bytes(4), undefined]);
  t.end();
});

void t.test('a fault has the name of the layer that raised it, and is counted there alone', async (t) => {
  const refuse = (): never => {
    throw new LimitError('too much', { limit: 1 });
  };
  const owing: Codec<Buffer, Buffer> = {
    push: () => {},
    next: () => undefined,
    end: () => {
      throw new TruncatedError('owed', { expected: 2, got: 1 });
    },
  };
  const same = () => new Ruled((RULES[0] as () => Rule)(), false);
  const faulty: [string, Codec<Buffer, Buffer>, string][] = [
    ['push', { push: refuse, next: () => undefined, end: () => {} }, 'ERR_VC_LIMIT'],
    ['next', { push: () => {}, next: refuse, end: () => {} }, 'ERR_VC_LIMIT'],
    ['a promise', { push: () => {}, next: () => Promise.reject(new LimitError('too much')), end: () => {} }, 'ERR_VC_LIMIT'],
    ['end', owing, 'ERR_VC_TRUNCATED'],
  ];
  for (const [where, codec, code] of faulty) {
    for (const place of [0, 1, 2]) {
      const codecs: Codec<Buffer, Buffer>[] = [same(), same(), same()];
      codecs[place] = codec;
      const stages = codecs.map((one, i) => stageOf(`layer ${i}`, one as Codec<unknown, unknown>));
      const stream = new CodecStream<Buffer, Buffer>('chain', new CodecChain(stages) as Codec<Buffer, Buffer>);
      const { error: fault } = await feed(stream, [bytes(1)]);
      t.equal(fault?.code, code, `${where} of codec ${place}`);
      t.equal(fault?.layer, `layer ${place}`, `${where} of codec ${place}`);
      t.same(
        stages.map(({ traffic }) => traffic.errors),
        [0, 1, 2].map((i) => (i === place ? 1 : 0)),
      );
    }
  }
});

void t.test('a chain that is destroyed destroys its codecs', (t) => {
  const codecs = [0, 1].map(() => new Ruled((RULES[0] as () => Rule)(), false));
  const chain = new CodecChain(codecs.map((codec, i) => stageOf(String(i), codec as Codec<unknown, unknown>)));
  const cause = new Error('gone');
  chain.destroy(cause);
  t.same(
    codecs.map((codec) => codec.destroyedWith),
    [cause, cause],
  );
  t.end();
});

void t.test('a thousand chunks without an item need no stack', (t) => {
  const split = new Ruled((RULES[1] as () => Rule)(), false);
  const hoard = new Ruled((RULES[4] as () => Rule)(), false);
  const chain = new CodecChain([stageOf('split', split), stageOf('hoard', hoard)]);
  chain.push(Buffer.alloc(100_000, 1));
  t.equal(chain.next(), undefined);
  chain.end();
  t.equal((chain.next() as Buffer).length, 100_000);
  t.equal(chain.next(), undefined);
  t.end();
});
