import fc from 'fast-check';
import t from 'tap';
import { Crowd } from '../../lib/core/crowd.js';
import { seeded } from '../support/splits.js';

void t.test('the most crowded address first, its oldest member first', async (t) => {
  const crowd = new Crowd<number>();
  for (const [address, member] of [
    ['a', 1],
    ['b', 2],
    ['b', 3],
    ['c', 4],
    ['b', 5],
    ['c', 6],
  ] as const) {
    crowd.add(address, member);
  }
  t.same([...crowd.crowded()], ['b', 'c', 'a']);
  t.same([...crowd.of('b')], [2, 3, 5]);
  crowd.add('b', 2);
  t.same([...crowd.of('b')], [3, 5, 2], 'added again: the newest');
  t.equal(crowd.delete('b', 3), true);
  t.equal(crowd.delete('b', 3), false);
  crowd.delete('b', 5);
  t.same([...crowd.crowded()], ['c', 'a', 'b']);
  t.equal(crowd.size, 4);
  t.same([...crowd.of('nobody')], []);
});

void t.test('as a plain list would have it', async () => {
  const step = fc.record({ address: fc.constantFrom('a', 'b', 'c', 'd'), member: fc.nat({ max: 6 }), add: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const crowd = new Crowd<string>();
      let list: [string, string][] = [];
      for (const { address, member, add } of steps) {
        const name = `${address}${member}`;
        list = list.filter(([, other]) => other !== name);
        if (add) {
          crowd.add(address, name);
          list.push([address, name]);
        } else crowd.delete(address, name);
        const of = (one: string) => list.filter(([other]) => other === one).map(([, other]) => other);
        const sizes = [...crowd.crowded()].map((one) => of(one).length);
        const fault =
          crowd.size !== list.length ||
          sizes.reduce((sum, size) => sum + size, 0) !== list.length ||
          sizes.some((size, i) => size === 0 || size > (sizes[i - 1] ?? size)) ||
          ['a', 'b', 'c', 'd'].some((one) => String([...crowd.of(one)]) !== String(of(one)) || crowd.count(one) !== of(one).length);
        if (fault) throw new Error(`${JSON.stringify([...crowd.crowded()])} of ${JSON.stringify(list)}`);
      }
    }),
    seeded(200),
  );
});
