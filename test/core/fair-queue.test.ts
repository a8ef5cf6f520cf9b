import t from 'tap';
import { FairQueue } from '../../lib/core/fair-queue.js';

function filled(...items: string[]): FairQueue<string> {
  const queue = new FairQueue<string>();
  for (const item of items) queue.add(item.charAt(0), item);
  return queue;
}

const drain = (queue: FairQueue<string>): string[] => {
  const order: string[] = [];
  for (let item = queue.next(); item !== undefined; item = queue.next()) order.push(item);
  return order;
};

void t.test('keys take turns, and of one key the oldest comes first', (t) => {
  const queue = filled('a1', 'a2', 'a3', 'b1', 'c1', 'c2');
  t.same([queue.size, queue.count('a'), queue.count('z')], [6, 3, 0]);
  t.same(drain(queue), ['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
  t.equal(queue.size, 0);
  t.end();
});

void t.test('a key that comes late has its turn after those that wait', (t) => {
  const queue = filled('a1', 'a2', 'b1');
  t.equal(queue.next(), 'a1');
  queue.add('c', 'c1');
  t.same(drain(queue), ['b1', 'a2', 'c1']);
  t.end();
});

void t.test('what is taken out has no turn', (t) => {
  const queue = filled('a1', 'b1', 'b2');
  t.equal(queue.delete('b', 'b1'), true);
  t.equal(queue.delete('b', 'b1'), false);
  t.equal(queue.delete('a', 'a1'), true);
  t.same(drain(queue), ['b2']);
  t.equal(queue.next(), undefined);
  t.end();
});

void t.test('the key that has most makes room for one that would have fewer', (t) => {
  const queue = filled('a1', 'a2', 'a3', 'b1');
  t.equal(queue.outnumbering('a'), undefined);
  t.equal(queue.outnumbering('b'), 'a1', 'two each, with the one that comes');
  t.equal(queue.outnumbering('b'), undefined);
  t.equal(queue.outnumbering('c'), 'a2');
  t.equal(queue.outnumbering('c'), undefined, 'a and b have one each');
  t.equal(new FairQueue<string>().outnumbering('a'), undefined);
  t.end();
});
