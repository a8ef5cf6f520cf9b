import fc from 'fast-check';
import t from 'tap';
import { DirectoryStore, type FileSink, type StoredFile } from '../../lib/enclave/store/file-store.js';
import '../support/long.js';
import { seeded } from '../support/splits.js';
import { freshFolder, get, openBelow, pending, put, written } from './store-support.js';

const NAMES = ['/a', '/a/b', 'stdout', `/${'long/'.repeat(60)}`.slice(0, -1)];

/** What a command names by number is taken modulo what there is; a command that names nothing does nothing. */
type Command =
  | { do: 'begin'; how: 'write' | 'append'; name: number; bytes: number }
  | { do: 'feed' | 'commit' | 'discard' | 'fail'; sink: number; bytes: number }
  | { do: 'remove' | 'open'; name: number }
  | { do: 'read'; reader: number }
  | { do: 'reopen' };

const number = fc.nat(1000);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('begin' as const),
      how: fc.constantFrom('write' as const, 'append' as const),
      name: number,
      bytes: number,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('feed' as const, 'commit' as const, 'commit' as const, 'discard' as const, 'fail' as const),
      sink: number,
      bytes: number,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('remove' as const, 'open' as const), name: number }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('read' as const), reader: number }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
);

interface ModelFile {
  content: Buffer;
}
interface ModelSink {
  readonly how: 'write' | 'append';
  readonly name: string;
  readonly sink: FileSink;
  readonly given: Buffer[];
  /** The file that an append grows, once it is its turn. */
  base: ModelFile | undefined;
  /** Resolves when the first bytes are in place. */
  readonly placed: Promise<void>;
}

/** The store beside the simplest thing that keeps the same promises. */
class Comparison {
  readonly files = new Map<string, ModelFile>();
  sinks: ModelSink[] = [];
  readers: Array<{ reader: StoredFile; expected: Buffer }> = [];
  #fill = 0;
  store: DirectoryStore;
  readonly root: string;

  constructor(store: DirectoryStore, root: string) {
    this.store = store;
    this.root = root;
  }

  bytes(count: number): Buffer {
    return Buffer.alloc(count, ++this.#fill % 251);
  }

  waits(sink: ModelSink): boolean {
    return sink.how === 'append' && this.sinks.find(({ how, name }) => how === 'append' && name === sink.name) !== sink;
  }

  /** Takes a sink off, and lets the append behind it begin. */
  async off(sink: ModelSink): Promise<void> {
    this.sinks = this.sinks.filter((other) => other !== sink);
    const next = this.sinks.find(({ how, name }) => how === 'append' && name === sink.name);
    if (sink.how === 'append' && next !== undefined) await this.begun(next);
  }

  async begun(sink: ModelSink): Promise<void> {
    await sink.placed;
    // Whoever was there already keeps its base.
    if (!this.#based.has(sink)) sink.base = this.files.get(sink.name);
    this.#based.add(sink);
  }
  readonly #based = new Set<ModelSink>();

  async run(command: Command): Promise<void> {
    switch (command.do) {
      case 'begin': {
        const name = NAMES[command.name % NAMES.length] as string;
        const first = this.bytes(1 + command.bytes);
        const sink = this.store[command.how](name);
        const one: ModelSink = { how: command.how, name, sink, given: [first], base: undefined, placed: written(sink, first) };
        one.placed.catch(() => {});
        this.sinks.push(one);
        if (!this.waits(one)) await this.begun(one);
        return;
      }
      case 'feed':
      case 'commit':
      case 'discard':
      case 'fail': {
        const one = this.sinks[command.sink % this.sinks.length];
        if (one === undefined) return;
        if (command.do === 'feed') {
          const more = this.bytes(command.bytes);
          one.given.push(more);
          if (this.waits(one)) one.sink.write(more);
          else await written(one.sink, more);
        } else if (command.do === 'commit') {
          if (this.waits(one)) return;
          await one.sink.commit();
          this.commit(one);
          await this.off(one);
        } else {
          if (command.do === 'fail') one.sink.destroy(new Error('failed'));
          await one.sink.discard();
          await this.off(one);
        }
        return;
      }
      case 'remove': {
        const name = NAMES[command.name % NAMES.length] as string;
        const removed = await this.store.remove(name).then(
          () => true,
          () => false,
        );
        if (removed !== this.files.delete(name)) throw new Error(`remove said ${removed}`);
        return;
      }
      case 'open': {
        const name = NAMES[command.name % NAMES.length] as string;
        const expected = this.files.get(name)?.content;
        if (expected !== undefined) this.readers.push({ reader: await this.store.read(name), expected });
        return;
      }
      case 'read': {
        const [one] = this.readers.splice(command.reader % this.readers.length, 1);
        if (one !== undefined) await this.drain(one);
        return;
      }
      case 'reopen':
        await this.store.close();
        this.sinks = [];
        this.readers = [];
        this.store = await DirectoryStore.open(this.root, { sync: 'none' });
    }
  }

  commit({ how, name, given, base }: ModelSink): void {
    const bytes = Buffer.concat(given);
    const current = this.files.get(name);
    if (how === 'write') this.files.set(name, { content: bytes });
    else if (current !== base) return;
    else if (current === undefined) this.files.set(name, { content: bytes });
    else current.content = Buffer.concat([current.content, bytes]);
  }

  async drain({ reader, expected }: { reader: StoredFile; expected: Buffer }): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of reader.stream) chunks.push(chunk as Buffer);
    if (reader.length !== expected.length || !Buffer.concat(chunks).equals(expected)) throw new Error('a reader saw another file');
  }

  async compare(): Promise<void> {
    for (const name of NAMES) {
      const expected = this.files.get(name)?.content;
      const got = await get(this.store, name).catch((thrown: { got: unknown }) => {
        if (thrown.got !== 'ENOENT') throw thrown;
        return undefined;
      });
      if (got === undefined ? expected !== undefined : expected === undefined || !got.equals(expected)) throw new Error(`${name} differs`);
    }
    const listed = new Map<string, number>();
    for await (const { name, length } of this.store.list()) listed.set(name, length);
    const same = [...this.files].every(([name, { content }]) => listed.get(name) === content.length);
    if (!same || listed.size !== this.files.size) throw new Error(`the list has ${[...listed.keys()].join(' ')}`);
  }
}

void t.test('whatever is done in whatever order, the store is what the model is', async (t) => {
  const root = freshFolder(t);
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
      const comparison = new Comparison(await DirectoryStore.open(root, { sync: 'none' }), root);
      try {
        for (const one of commands) {
          await comparison.run(one);
          await comparison.compare();
        }
        for (const reader of comparison.readers) await comparison.drain(reader);
        for (const { sink } of comparison.sinks) await sink.discard();
        const contents = [...comparison.files.values()].map(({ content }) => content.length);
        const usage = { bytes: contents.reduce((sum, length) => sum + length, 0), files: contents.length };
        if (JSON.stringify(comparison.store.usage) !== JSON.stringify(usage))
          throw new Error(`usage ${JSON.stringify(comparison.store.usage)}`);
        if (pending(root).length > 0) throw new Error('something pends');
        for (const name of comparison.files.keys()) await comparison.store.remove(name);
      } finally {
        await comparison.store.close();
      }
      if (openBelow(root).length > 0) throw new Error('a file stays open');
    }),
    seeded(200),
  );
});

void t.test('everything at once: whatever remains is whole', async (t) => {
  const root = freshFolder(t);
  const store = await DirectoryStore.open(root, { sync: 'none' });
  const record = (how: 'write' | 'append', i: number) => Buffer.from(`${how}:${String(i).padStart(5, '0')};`.repeat(500));
  for (let round = 0; round < 10; round++) {
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const how = i % 4 === 0 ? 'write' : 'append';
        if (i % 7 === 3) {
          const sink = store[how]('/f');
          sink.write(record(how, i));
          await (i % 2 === 0 ? sink.discard() : written(sink, record(how, i)).then(() => sink.discard()));
        } else await put(store, '/f', record(how, i), how);
      }),
    );
    const parts = String(await get(store, '/f')).match(/(write|append):(\d{5});/g) as string[];
    t.equal(parts.length * (parts[0] as string).length >= 6000, true);
    for (let start = 0; start < parts.length; start += 500) {
      const [first, ...rest] = parts.slice(start, start + 500);
      if (rest.length !== 499 || rest.some((part) => part !== first)) t.fail(`a mix at ${start}`);
      if (start > 0 && first?.startsWith('write')) t.fail('a write after something else');
    }
    t.equal(store.usage.bytes, (await store.stat('/f')).length);
  }
  t.same(pending(root), []);
  await store.close();
});
