import t from 'tap';
import { RecentMap } from '../../lib/core/recent-map.js';

void t.test('one more replaces the one that was set longest ago', async (t) => {
  const map = new RecentMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  t.same([map.size, map.get('a'), map.get('b')], [2, 3, 2]);
  map.set('c', 4);
  t.same([map.size, map.get('a'), map.get('b'), map.get('c')], [2, 3, undefined, 4]);
});
