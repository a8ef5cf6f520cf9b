import t from 'tap';
import type { Codec } from '../../lib/core/codec.js';
import { Connection } from '../../lib/core/connection.js';
import { layerOf } from '../../lib/core/layer.js';
import { newTraffic } from '../../lib/core/traffic.js';
import { feed } from '../support/feed.js';

/** Gives every chunk with `suffix` appended. */
class Suffix implements Codec<Buffer, Buffer> {
  readonly #suffix: string;
  #item: Buffer | undefined;
  constructor(suffix: string) {
    this.#suffix = suffix;
  }
  push(chunk: Buffer): void {
    this.#item = Buffer.concat([chunk, Buffer.from(this.#suffix)]);
  }
  next(): Buffer | undefined {
    const item = this.#item;
    this.#item = undefined;
    return item;
  }
  end(): void {}
}

void t.test('a layer makes a fresh pair of streams for every connection', async (t) => {
  const made: [string, Connection | undefined][] = [];
  const layer = layerOf<Buffer, Buffer>({
    name: 'suffix',
    limits: { maxBytes: 9 },
    encoder: (connection) => {
      made.push(['encoder', connection]);
      return new Suffix('>');
    },
    decoder: (connection) => {
      made.push(['decoder', connection]);
      return new Suffix('<');
    },
  });
  t.match(layer, { name: 'suffix', limits: { maxBytes: 9 } });
  t.ok(Object.isFrozen(layer) && Object.isFrozen(layer.limits));
  const connection = new Connection();
  const [out, back] = [layer.outbound(connection), layer.inbound(connection)];
  t.same(made, [
    ['encoder', connection],
    ['decoder', connection],
  ]);
  t.not(layer.outbound(connection), out);
  t.equal((await feed(out, [Buffer.from('a')])).bytes.toString(), 'a>');
  t.equal((await feed(back, [Buffer.from('a')])).bytes.toString(), 'a<');
  t.equal(out.layer, 'suffix');
});

void t.test('a layer without limits has an empty object', async (t) => {
  const layer = layerOf<Buffer, Buffer>({ name: 'x', encoder: () => new Suffix(''), decoder: () => new Suffix('') });
  t.same(layer.limits, {});
});

void t.test('counters start at 0, and are not shared', async (t) => {
  t.same(newTraffic(), { bytesIn: 0, bytesOut: 0, chunks: 0, errors: 0 });
  t.not(newTraffic(), newTraffic());
});
