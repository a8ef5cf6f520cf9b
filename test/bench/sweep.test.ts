/** The sweep: some of its places, and that it notices what is not right. */
import t from 'tap';
import { sweep } from '../../bench/proof/sweep/sweep.js';
import { UnitReader } from '../../bench/proof/sweep/units.js';
import '../support/long.js';

// Its own timers would run in virtual time.
t.setTimeout(0);

void t.test('every road: the right bytes, or an error with a name', async (t) => {
  const { cases, endings, violations } = await sweep({ every: 2501, offset: 11, everyUnit: 7 });
  t.same(violations, []);
  t.ok(cases > 120);
  t.equal(endings.size, 12, 'three roads, four ways');
  const ends = new Set([...endings.values()].flatMap((each) => [...each.keys()]));
  for (const end of ['right', 'ERR_VC_OUTCOME_UNKNOWN', 'ERR_VC_TLS', 'ERR_VC_TLS_HANDSHAKE_TIMEOUT']) t.ok(ends.has(end), end);
});

void t.test('what is stored otherwise is noticed', async (t) => {
  const only = '2207, manager to Server: drop frame';
  const { violations } = await sweep({ every: 1e9, offset: 1e9, everyUnit: 9, only }, (store) => {
    return Object.assign(Object.create(store) as typeof store, {
      bind: (hash: string) => store.bind(hash),
      append: (name: string, length: number) => store.write(name, length),
      write: (name: string, length: number) => store.write(name, length),
      read: (name: string) => store.read(name),
      stat: (name: string) => store.stat(name),
    });
  });
  t.match(violations[0], /other bytes/);
});

void t.test('units of each kind, cut anywhere', (t) => {
  const messages = [
    'POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  ];
  const units: [ConstructorParameters<typeof UnitReader>[0], Buffer[]][] = [
    ['message', messages.map((text) => Buffer.from(text))],
    ['record', [Buffer.from('1603030002abcd', 'hex'), Buffer.from('1703030000', 'hex')]],
    ['frame', [Buffer.from('020000000000000000abcd', 'hex'), Buffer.from('000000000000000000', 'hex')]],
  ];
  for (const [kind, whole] of units) {
    const reader = new UnitReader(kind);
    const bytes = Buffer.concat(whole);
    t.same(
      [...bytes].flatMap((byte) => reader.push(Buffer.from([byte]))),
      whole,
      kind,
    );
    reader.push(bytes.subarray(0, 3));
    t.same(reader.take(), bytes.subarray(0, 3));
    t.same(new UnitReader(kind).push(bytes), whole);
  }
  t.end();
});
