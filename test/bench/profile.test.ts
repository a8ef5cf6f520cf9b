import t from 'tap';
import type { Profile } from '../../bench/harness/sampler.js';
import { scriptBucket, splitOf } from '../../bench/profile/buckets.js';
import { nsAByte, tablesOf, usARequest } from '../../bench/profile/tables.js';

void t.test('scripts and their buckets', (t) => {
  t.equal(scriptBucket('file:///a/dist/lib/layers/base64/encoder.js'), 'lib/layers/base64');
  t.equal(scriptBucket('file:///a/dist/lib/roles/server/server.js'), 'lib/roles');
  t.equal(scriptBucket('file:///a/dist/bench/parts/client.js'), 'bench');
  t.equal(scriptBucket('file:///a/node_modules/undici/lib/dispatcher/client-h1.js'), 'npm: undici');
  t.equal(scriptBucket('file:///a/node_modules/@grpc/grpc-js/build/src/call.js'), 'npm: @grpc/grpc-js');
  t.equal(scriptBucket('file:///a/node_modules/x/node_modules/y/lib/z/index.js'), 'npm: y');
  t.equal(scriptBucket('node:_tls_wrap'), 'node: tls');
  t.equal(scriptBucket('node:internal/streams/readable'), 'node: stream');
  t.equal(scriptBucket('node:_http_outgoing'), 'node: http');
  t.end();
});

/** Functions, each called by the one that is named. */
function profileOf(functions: readonly [name: string, url: string, parent?: number][], samples: number[], timeDeltas: number[]): Profile {
  const nodes = functions.map(([functionName, url], i) => ({
    id: i + 1,
    callFrame: { functionName, url, scriptId: '0', lineNumber: 0, columnNumber: 0 },
    children: functions.flatMap(([, , parent], child) => (parent === i + 1 ? [child + 1] : [])),
  }));
  return { nodes, startTime: 0, endTime: 0, samples, timeDeltas };
}

const PROFILE = profileOf(
  [
    ['(root)', ''],
    ['send', 'file:///a/dist/lib/layers/tls/engine.js', 1],
    ['writeBuffer', '', 2],
    ['flush', 'node:net', 1],
    ['writev', '', 4],
    ['base64Slice', '', 4],
    ['toString', '', 4],
    ['constructor', '', 4],
    ['(idle)', '', 1],
    ['(garbage collector)', '', 1],
  ],
  [2, 3, 5, 6, 9, 10, 8],
  [0, 10, 20, 30, 40, 50, 60],
);

void t.test('time goes to what ran, native code by kind', (t) => {
  const { buckets, functions } = splitOf(PROFILE);
  t.same(Object.fromEntries(buckets), {
    'lib/layers/tls': 10,
    'native: tls': 20,
    'native: socket write': 30,
    'native: base64': 40,
    idle: 50,
    gc: 60,
    'node: net': 0,
  });
  t.equal(functions.get('send file:///a/dist/lib/layers/tls/engine.js:1'.replace('file:///a/dist/', '')), 10);
  t.equal(
    [...functions.values()].reduce((a, b) => a + b),
    210,
  );
  t.end();
});

void t.test('the table has nanoseconds a byte, by process', (t) => {
  const usage = { cpu: { user: 0.5, system: 0.25 }, peakRss: undefined };
  const text = tablesOf([{ role: 'client', split: splitOf(PROFILE), usage }], { unit: nsAByte(1000), seconds: 0.001, top: 3 });
  const rows = new Map(text.split('\n').map((line) => [line.replace(/ {2}.*/, ''), line.trim().split(/ {2,}/)]));
  t.same(rows.get('native: base64'), ['native: base64', '40.000', '40.000']);
  t.same(rows.get('busy, as sampled'), ['busy, as sampled', '160.000', '160.000'], 'without what was idle');
  t.same(rows.get('idle'), ['idle', '50.000', '50.000']);
  t.same(rows.get('wall'), ['wall', '1000.000']);
  t.same(rows.get('processor, user'), ['processor, user', '500000.000', '500000.000']);
  t.match(text, /^ns a byte .*client/);
  t.match(text, /client: function/);
  t.end();
});

void t.test('or microseconds a request', (t) => {
  const usage = { cpu: { user: 0.5, system: 0.25 }, peakRss: undefined };
  const text = tablesOf([{ role: 'client', split: splitOf(PROFILE), usage }], { unit: usARequest(10), seconds: 0.001, top: 3 });
  const rows = new Map(text.split('\n').map((line) => [line.replace(/ {2}.*/, ''), line.trim().split(/ {2,}/)]));
  t.same(rows.get('native: base64'), ['native: base64', '4.0', '4.0']);
  t.same(rows.get('processor, system'), ['processor, system', '25000.0', '25000.0']);
  t.same(rows.get('wall'), ['wall', '100.0']);
  t.match(text, /^µs a request .*client/);
  t.end();
});
