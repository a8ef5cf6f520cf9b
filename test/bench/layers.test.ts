/** The contests of the layers: that all contenders do the work. How fast anything is, no test asks. */
import t from 'tap';
import { LAYERS } from '../../bench/layers/all.js';
import { measure } from '../../bench/layers/measure.js';
import { checkResults, runSuite } from './run.js';

void t.test('every layer has its contests, for small messages and for large ones', async (t) => {
  for (const bench of LAYERS) {
    for (const messageBytes of [1000, Math.min(bench.maxMessageBytes ?? 2 ** 20, 2 ** 20)]) {
      const contests = await bench.open(messageBytes);
      t.ok(contests.length >= 2, bench.layer);
      for (const { name, messages, contenders } of contests) {
        t.equal(contenders[0]?.name, 'veracruz-streams', name);
        for (const contender of contenders) {
          t.ok((await contender.run()) >= messages * messageBytes, `${name}, ${messageBytes}: ${contender.name} gives what it took`);
        }
      }
      for (const { close } of contests) close?.();
    }
  }
});

void t.test('a contender that loses bytes is not measured', async (t) => {
  const contest = { name: 'x outbound', messageBytes: 10, messages: 10, contenders: [{ name: 'veracruz-streams', run: () => 99 }] };
  await t.rejects(measure(contest, { rounds: 1, maxSeconds: 0.1, warmUpMilliseconds: 0 }), { message: /gave 99 bytes of 100/ });
});

void t.test('bench layers', async (t) => {
  const run = await runSuite(t, [
    'layers',
    '--bytes',
    '1000',
    '--rounds',
    '1',
    '--only',
    '^(base64|bincode|length-prefix|protobuf) inbound$',
  ]);
  checkResults(t, run.results);
  const peers = (name: string) => run.results.filter((result) => result.name === name).map(({ by }) => by);
  t.same(peers('base64 inbound'), ['veracruz-streams', 'base64-stream', 'Buffer']);
  t.same(peers('bincode inbound'), ['veracruz-streams', 'borsh']);
  t.same(peers('length-prefix inbound'), ['veracruz-streams', 'length-prefixed-stream', 'it-length-prefixed']);
  t.same(peers('protobuf inbound'), ['veracruz-streams', 'protobufjs', '@bufbuild/protobuf']);
  for (const { messagesPerSecond = 0 } of run.results) t.ok(messagesPerSecond > 0);
  const own = run.results.find(({ name, by }) => name === 'base64 inbound' && by === 'veracruz-streams');
  t.same(Object.keys(own?.ratioTo ?? {}), ['base64-stream', 'Buffer']);
});
