/** `inspect --trace`: what is drawn of a trace, and what is said of one that is broken. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { sequenceSvg } from '../../lib/cli/inspect/trace/draw-svg.js';
import { sequenceLines } from '../../lib/cli/inspect/trace/draw-text.js';
import { readTrace } from '../../lib/cli/inspect/trace/read.js';
import { type Sequence, sequenceOf } from '../../lib/cli/inspect/trace/sequence.js';
import { lengthPrefix } from '../../lib/layers/frame/index.js';
import { protobuf } from '../../lib/layers/protobuf/index.js';
import { stack } from '../../lib/pipeline/stack.js';
import { traceTo } from '../../lib/pipeline/trace/trace.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { within } from '../support/foreign.js';
import { freshFolder } from '../support/roles.js';
import type { AnyLine } from '../support/traces.js';

const HEAD = { event: 'trace', format: 1, role: 'client', pid: 1, started: '2026-01-31T12:00:00.000Z', bytes: 0 };

/** A file with these lines; what is no text is written as JSON. */
function written(t: Pick<Test, 'teardown'>, lines: readonly (AnyLine | string)[], end = '\n'): string {
  const path = join(freshFolder(t), 'trace.jsonl');
  writeFileSync(path, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n') + end);
  return path;
}

const drawn = (t: Pick<Test, 'teardown'>, lines: readonly (AnyLine | string)[], end?: string) =>
  sequenceOf(readTrace(written(t, lines, end)));
const labels = ({ rows }: Sequence) => rows.map((row) => (row.kind === 'note' ? row.text : `${row.from} → ${row.to}: ${row.label}`));

let ms = 0;
/** One item on its way, a millisecond after the one before. */
const item = (direction: string, from: string, to: string, what: AnyLine, connection = 1) => ({
  event: 'item',
  ms: ++ms,
  connection,
  direction,
  from,
  to,
  ...what,
});
const open = (layers: string, connection = 1) => ({ event: 'open', ms: ++ms, connection, layers: layers.split(' ') });

void t.test('an exchange of this process, as text', async (t) => {
  const path = join(freshFolder(t), 'trace.jsonl');
  // Only the client is traced: the other end is opened before.
  const [near, far] = memoryPipe();
  const manager = stack(protobuf({ sends: 'RuntimeManagerResponse', receives: 'RuntimeManagerRequest' }), lengthPrefix()).over(far);
  const recording = traceTo(path, { role: 'client' });
  const asking = stack(protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse' }), lengthPrefix()).over(near);
  const closed = new Promise((resolve) => asking.once('close', resolve));
  manager.on('data', ({ oneof, fields }) => {
    if (oneof === 'write_file') fields.data.resume().on('end', () => manager.write({ status: 'SUCCESS', oneof: null }));
    else manager.end({ status: 'SUCCESS', oneof: 'result', fields: { data: Buffer.alloc(1000) } });
  });
  asking.write({ oneof: 'write_file', fields: { file_name: '/a', data: Buffer.alloc(100) } });
  asking.once('data', () => {
    asking.on('data', (answer) => answer.oneof === 'result' && answer.fields.data.resume());
    asking.end({ oneof: 'read_file', fields: { file_name: '/a' } });
  });
  await within('the end', closed);
  recording.close();
  const text = [...sequenceLines(sequenceOf(readTrace(path)))].join('\n');
  const id = asking.connection.id;
  const golden = `trace of client, from TIME

         ms  client                                              server
    TIME  · #N open: protobuf, length-prefix
    TIME    │── #N write_file, 116 bytes ──────────────────────▶│
    TIME    │◀─ #N SUCCESS, 10 bytes ───────────────────────────│
    TIME    │── #N read_file, 14 bytes ────────────────────────▶│
    TIME    │◀─ #N result SUCCESS, 1016 bytes ──────────────────│
    TIME  · #N closed`;
  const told = text
    .replace(/from \S+$/m, 'from TIME')
    .replace(/^ *\d+\.\d{3}/gm, '    TIME')
    .replaceAll(`#${id} `, '#N ')
    .replace(/─+(?=▶|│$)/gm, '─');
  t.equal(told, golden.replace(/─+(?=▶|│$)/gm, '─'));
  t.ok(
    text
      .split('\n')
      .slice(4, -1)
      .every((line) => line.length === 68),
    'arrows end at their lanes',
  );
});

void t.test('TLS holds messages back, and records gather them: each is named where it is out', async (t) => {
  const out = (from: string, to: string, what: AnyLine) => item('outbound', from, to, what);
  const into = (from: string, to: string, what: AnyLine) => item('inbound', from, to, what);
  const end = { mark: 'end-of-message' };
  const boundary = { bound: 'boundary' };
  const sequence = drawn(t, [
    HEAD,
    open('protobuf length-prefix tls records base64 session'),
    out('application', 'protobuf', { message: 'write_file' }),
    out('tls', 'records', { bytes: 200 }),
    out('records', 'base64', { bytes: 200 }),
    out('records', 'base64', boundary),
    out('session', 'pipe', { bytes: 270 }),
    out('session', 'pipe', boundary),
    into('pipe', 'session', { bytes: 1500 }),
    // The mark is there before the records layer has given what came before it.
    out('tls', 'records', { bytes: 1000 }),
    out('tls', 'records', { bytes: 500 }),
    out('tls', 'records', end),
    out('records', 'base64', { bytes: 1000 }),
    out('records', 'base64', boundary),
    out('session', 'pipe', { bytes: 1334 }),
    out('session', 'pipe', boundary),
    into('pipe', 'session', { bytes: 11 }),
    out('records', 'base64', { bytes: 500 }),
    out('records', 'base64', boundary),
    out('session', 'pipe', { bytes: 667 }),
    out('session', 'pipe', boundary),
    into('pipe', 'session', { bytes: 90 }),
    into('protobuf', 'application', { message: 'result', status: 'SUCCESS' }),
    { event: 'error', ms: ++ms, connection: 1, session: '5', code: 'ERR_VC_LIMIT', layer: 'tls', message: 'x' },
    { event: 'close', ms: ++ms, connection: 1, session: '5', traffic: [] },
  ]);
  t.same(sequence.lanes, ['client', 'server']);
  t.same(labels(sequence), [
    '#1 open: protobuf, length-prefix, tls, records, base64, session',
    '0 → 1: #1 TLS handshake, 270 bytes',
    '1 → 0: #1 TLS handshake, 1500 bytes',
    '0 → 1: #1 write_file …, 1334 bytes',
    '1 → 0: #1 11 bytes',
    '0 → 1: #1 write_file, 667 bytes',
    '1 → 0: #1 result SUCCESS, 90 bytes',
    '#1 failed: ERR_VC_LIMIT in tls (session 5)',
    '#1 closed (session 5)',
  ]);
});

void t.test('who is at the other end', async (t) => {
  const lanes = (role: string | undefined, ...stacks: string[]) =>
    drawn(t, [{ ...HEAD, role }, ...stacks.flatMap((layers, i) => [open(layers, i), item('outbound', 'x', 'pipe', { bytes: 1 }, i)])])
      .lanes;
  t.same(lanes('server', 'bincode frame', 'base64 session', 'protobuf length-prefix base64'), [
    'client',
    'server',
    'runtime',
    'attestation',
  ]);
  t.same(lanes('runtime', 'bincode frame', 'protobuf length-prefix tls'), ['client', 'server', 'runtime']);
  t.same(lanes('attestation', 'protobuf length-prefix base64'), ['server', 'attestation']);
  t.same(lanes(undefined, 'a'), ['this process', 'peer']);
  t.same(lanes('toString', 'a'), ['toString', 'peer']);
});

void t.test('many messages in one run, and a connection whose beginning is missing', async (t) => {
  const inbound = (message: string) => item('inbound', 'bincode', 'application', { message }, 9);
  const names = ['a', 'b', 'a', 'c', 'd', 'e', 'f', 'a'];
  const sequence = drawn(t, [HEAD, item('inbound', 'pipe', 'frame', { bytes: 1 }, 9), ...names.map(inbound)]);
  t.same(labels(sequence), ['1 → 0: #9 3 × a, b, c, d, 2 more, 1 byte']);
});

void t.test('a trace that is cut in the middle of a line is drawn up to there', async (t) => {
  const begin = open('a');
  const bytes = item('outbound', 'a', 'pipe', { bytes: 5 });
  const sequence = drawn(t, [HEAD, begin, bytes, JSON.stringify(bytes).slice(0, 40)], '');
  t.same(sequence.remarks, ['the trace ends in the middle of line 4: what follows is missing'], 'and not that #1 is open, besides');
  t.same(labels(sequence), ['#1 open: a', '0 → 1: #1 5 bytes']);
  t.match([...sequenceLines(sequence)].at(-1), '\nthe trace ends in the middle of line 4');
  t.match([...sequenceSvg(sequence)].join(''), 'the trace ends in the middle of line 4');
});

void t.test('one whose last line has no end but is whole is drawn with it', async (t) => {
  const sequence = drawn(t, [HEAD, open('a'), item('outbound', 'a', 'pipe', { bytes: 5 })], '');
  t.same(sequence.remarks, ['the trace ends in the middle of line 3: what follows is missing']);
  t.same(labels(sequence), ['#1 open: a', '0 → 1: #1 5 bytes']);
  t.same(drawn(t, [HEAD], '').remarks, ['the trace ends in the middle of line 1: what follows is missing']);
});

void t.test('one that is cut behind a line says what was open', async (t) => {
  const lines = [HEAD, open('a'), open('a', 2), item('outbound', 'a', 'pipe', { bytes: 5 }), { event: 'close', ms: ++ms, connection: 2 }];
  t.same(drawn(t, lines).remarks, ['#1 is open where the trace ends, behind line 5: what follows may be missing']);
  t.same(drawn(t, [...lines, { event: 'close', ms: ++ms, connection: 1 }]).remarks, []);
  const many = Array.from({ length: 6 }, (_, id) => open('a', id + 3));
  t.match(drawn(t, [...lines, ...many]).remarks, [/^7 connections are open where the trace ends, behind line 11/]);
});

void t.test('one whose beginning is missing is drawn from there', async (t) => {
  const bytes = item('outbound', 'a', 'pipe', { bytes: 5 });
  const end = { event: 'close', ms: ++ms, connection: 1 };
  for (const [begin, line] of [
    [[], 1],
    [[JSON.stringify(bytes).slice(7)], 2],
  ] as const) {
    const sequence = drawn(t, [...begin, bytes, end]);
    t.same(sequence.remarks, [`the beginning of the trace is missing, and with it who wrote it: line ${line} is not its first`]);
    t.same(labels(sequence), ['0 → 1: #1 5 bytes', '#1 closed']);
    t.equal(sequence.title, 'part of a trace');
  }
});

void t.test('one with a hole is drawn around it', async (t) => {
  const bytes = () => item('outbound', 'a', 'pipe', { bytes: 5 });
  const hole = () => JSON.stringify(bytes()).slice(0, 30) + JSON.stringify(bytes()).slice(50);
  const close = () => ({ event: 'close', ms: ++ms, connection: 1 });
  const one = drawn(t, [HEAD, open('a'), hole(), bytes(), close()]);
  t.same(one.remarks, ['line 3 is broken: something is missing there']);
  t.same(labels(one), ['#1 open: a', '0 → 1: #1 5 bytes', '#1 closed']);
  t.same(drawn(t, [HEAD, 'null', bytes(), '', close()]).remarks, ['lines 2, 4 are broken: something is missing there']);
  const many = drawn(t, [HEAD, ...Array<string>(7).fill('x')]);
  t.same(many.remarks, ['lines 2, 3, 4, 5, 6, and 2 more are broken: something is missing there']);
});

void t.test('what is no trace, and lines that are none', async (t) => {
  const good = item('outbound', 'a', 'pipe', { bytes: 5 });
  const cases: [readonly (AnyLine | string)[], RegExp, string?][] = [
    [[''], /is no trace: it is empty/, ''],
    [['{"event"'], /is no trace: neither its first line nor its second is one of a trace/, ''],
    [['hello'], /is no trace: neither its first line nor its second is one of a trace/],
    [['[]', 'hello', good], /is no trace: neither its first line nor its second is one of a trace/],
    [[{ level: 30, msg: 'a log' }, { level: 30 }], /is no trace: neither/],
    [[{ ...good, ms: 'x' }], /^line 1 of .*: ms is not a number/],
    [[{ ...HEAD, format: 2 }], /is a trace of format 2, this reads 1/],
    [[{ ...HEAD, format: 'x\u001b[2J' }], /is a trace of format string, this reads 1/],
    [[HEAD, { ...good, ms: -1 }], /^line 2 of .*: ms is not a number of 0 or more/],
    [[HEAD, { ...good, bytes: 1e300 }], /^line 2 of .*: bytes is not a number/],
    [[HEAD, { ...good, connection: '1' }], /: connection is not a number/],
    [[HEAD, { ...good, direction: 'up' }], /: direction is not outbound or inbound/],
    [[HEAD, { ...good, from: 5 }], /: from is not a text/],
    [[HEAD, { ...good, message: {} }], /: message is not a text/],
    [[HEAD, { ...good, message: 'x'.repeat(257) }], /: message is not a text of up to 256 characters/],
    [[HEAD, { ...open('a'), layers: Array(33).fill('a') }], /: layers is not a list of up to 32 texts/],
    [[HEAD, { ...open('a'), layers: [1] }], /: layers is not a list of up to 32 texts/],
    [[HEAD, {}], /: event is not a text/],
  ];
  for (const [lines, message, end] of cases) t.throws(() => drawn(t, lines, end), { code: 'ERR_VC_INVALID_ARGUMENT', message });
  t.throws(() => drawn(t, [HEAD, 'x'.repeat(2 ** 20 + 2 ** 17)]), { code: 'ERR_VC_LIMIT' });
  t.throws(() => [...readTrace('/')], { code: 'ERR_VC_INVALID_ARGUMENT', message: '/ is a folder' });
  t.throws(() => [...readTrace('/no/such')], { code: 'ERR_VC_INVALID_ARGUMENT', message: 'cannot read /no/such: ENOENT' });
  const newer = drawn(t, [HEAD, { event: 'new kind' }, good, { event: 'close', ms: ++ms, connection: 1 }]);
  t.same(labels(newer), ['0 → 1: #1 5 bytes', '#1 closed'], 'what is not known is left out');
  t.same(newer.remarks, []);
});

void t.test('lines that lie across the pieces in which a file is read', async (t) => {
  const names = Array.from({ length: 3000 }, (_, i) => `é${i}`);
  const lines = names.map((message) => item('inbound', 'protobuf', 'application', { message }));
  const read = [...readTrace(written(t, [HEAD, ...lines]))];
  t.same(
    read.slice(1, -1).map((line) => (line as AnyLine).message),
    names,
  );
});

void t.test('5000 rows are drawn; the rest is counted', async (t) => {
  const notes = Array.from({ length: 5003 }, () => ({ event: 'close', ms: ++ms, connection: 1 }));
  const sequence = drawn(t, [HEAD, ...notes]);
  t.equal(sequence.rows.length, 5000);
  t.same(sequence.remarks, ['3 more rows are not drawn: 5000 are, at most']);
});

void t.test('more connections at once than a trace may have', async (t) => {
  const lines = function* () {
    for (let connection = 0; connection <= 100_000; connection++) {
      yield { event: 'open', ms: 0, connection, session: undefined, layers: [] } as const;
    }
  };
  t.throws(() => sequenceOf(lines()), { code: 'ERR_VC_LIMIT', limit: 100_000 });
});

/** The elements of an XML document, in order, with their text. Fails where tags are not closed in turn. */
function elementsOf(t: Test, xml: string): { name: string; text: string }[] {
  const open: { name: string; text: string }[] = [];
  const all: { name: string; text: string }[] = [];
  for (const [, close, name, self, text] of xml.matchAll(/<(\/?)([a-z]+)(?: [a-zA-Z0-9:-]+="[^"<]*")*(\/?)>([^<]*)/g)) {
    if (close === '/') t.equal(open.pop()?.name, name, `</${name}>`);
    else {
      const element = { name: name as string, text: text as string };
      all.push(element);
      if (self !== '/') open.push(element);
    }
  }
  t.same(open, []);
  t.equal(xml.replace(/<[^<>]*>[^<>]*/g, ''), '', 'nothing besides');
  t.notMatch(xml, /&(?!amp;|lt;|gt;|quot;)/, 'no bare ampersand');
  return all;
}

void t.test('the SVG is well formed and complete, whatever the names are', async (t) => {
  const name = '<b>&"\'\u0000\u001b[2J\u202e]]>';
  const sequence = drawn(t, [
    { ...HEAD, role: name },
    open('a b'),
    item('outbound', 'application', 'a', { message: name }),
    item('outbound', 'b', 'pipe', { bytes: 5 }),
    item('inbound', 'pipe', 'b', { bytes: 6 }),
    { event: 'close', ms: ++ms, connection: 1, session: name },
  ]);
  const svg = [...sequenceSvg(sequence)].join('');
  const elements = elementsOf(t, svg);
  t.equal(elements.filter(({ name }) => name === 'line').length, 2 + 2, 'two lanes, two arrows');
  const texts = elements.filter(({ name }) => name === 'text').map(({ text }) => text);
  for (const text of ['#1 open: a, b', '#1 6 bytes', 'peer']) t.ok(texts.includes(text), text);
  t.ok(texts.includes("#1 &lt;b&gt;&amp;&quot;'\\u0000\\u001b[2J\\u202e]]&gt;, 5 bytes"), texts.join('\n'));
  const text = [...sequenceLines(sequence)].join('\n');
  t.notMatch(`${svg}${text}`.replaceAll('\n', ''), /\p{Cc}|\p{Cf}/u, 'nothing that controls a terminal');
});

void t.test('arrows to a lane further off, and labels that are too long', async (t) => {
  const sequence: Sequence = {
    title: 'x',
    lanes: ['a', 'b', 'c'],
    rows: [
      { kind: 'arrow', ms: 1, from: 0, to: 2, label: 'far' },
      { kind: 'arrow', ms: 2, from: 2, to: 1, label: 'y'.repeat(100) },
    ],
    remarks: [],
  };
  const [, , heads, far, near] = [...sequenceLines(sequence)];
  t.equal(heads?.indexOf('c'), (far?.length ?? 0) - 3);
  t.match(far, /^ {6}1\.000 {4}│── far ─+▶│$/);
  t.match(near, /^ {6}2\.000 {4}│ {51}│◀─ y{44}… ─+│$/);
  t.equal(far?.length, near?.length);
});
