import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { type Annotation, annotate } from '../../lib/cli/inspect/annotate.js';
import { choose } from '../../lib/cli/inspect/choose.js';
import { jsonPieces } from '../../lib/cli/inspect/json.js';
import { type Known, LAYER_NAMES, type Reading, readingsOf } from '../../lib/cli/inspect/reading.js';
import type { Fault, Row } from '../../lib/cli/inspect/region.js';
import { dumpLines, plainPaint, terminalPaint } from '../../lib/cli/inspect/text.js';
import type { VeracruzError } from '../../lib/core/errors.js';
import { Announce } from '../../lib/core/unit.js';
import { decodeBase64, encodeBase64 } from '../../lib/layers/base64/index.js';
import { sliceBytes } from '../../lib/layers/bincode/index.js';
import { encodePrefix, FRAME_HEADERS, FrameDecoder, type FrameKind, PREFIX_BYTES } from '../../lib/layers/frame/index.js';
import { decodeMessage, type EnvelopeName, encodeMessage } from '../../lib/layers/protobuf/index.js';
import { RecordDecoder } from '../../lib/layers/records/index.js';
import { SessionRequestDecoder, SessionResponseDecoder } from '../../lib/layers/session/index.js';
import { drive } from '../layers/bincode/drive.js';
import { decodeAs, dialectOf, encodeAs, messageOf, plain, targetOf } from '../layers/bincode/from-golden.js';
import { messageOf as envelopeOf, plain as plainEnvelope, WIDE } from '../layers/protobuf/support.js';
import { asWire, goldenBytes, negativeVectors, type Vector, vectors } from '../support/golden.js';
import { seeded } from '../support/splits.js';
import '../support/processes.js';

/** As inspect has them: what is shown is not what is taken. */
const WIDEST = Object.freeze({ maxBufferedMessageBytes: 2 ** 30, maxFileNameBytes: 2 ** 30, maxFields: 2 ** 20 });
const MAIN = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));

const reading = (known: Partial<Reading> & Pick<Known, 'layer'>): Reading =>
  readingsOf({ dialect: '2207', frame: 'tcp9', ...known })[0] as Reading;

interface Annotated {
  rows: Row[];
  fault: Fault | undefined;
}

function annotated(bytes: Buffer, as: Reading): Annotated {
  const items = [...annotate(bytes, as)];
  const fault = items.find((item): item is Fault => item.kind === 'fault');
  return { rows: items.filter((item): item is Row => item.kind !== 'fault'), fault };
}

/** The offset where fields leave a gap or overlap, or that a group does not hold its rows; undefined when all is well. */
function uncovered(rows: readonly Row[], decoded: boolean, total: number): number | undefined {
  let end = 0;
  const open: Row[] = [];
  for (const row of rows) {
    while (open.length > 0 && (open.at(-1) as Row).depth >= row.depth) open.pop();
    const around = open.at(-1);
    if (around?.decoded === row.decoded && (row.offset < around.offset || row.offset + row.length > around.offset + around.length))
      return row.offset;
    if (row.kind === 'group') open.push(row);
    else if (row.decoded === decoded) {
      if (row.offset !== end) return end;
      end += row.length;
    }
  }
  return end === total ? undefined : end;
}

function covers(t: Test, bytes: Buffer, { rows }: Annotated, name: string): void {
  t.equal(uncovered(rows, false, bytes.length), undefined, `${name}: fields side by side`);
  const decoded = rows.find((row) => row.decoded && row.kind === 'group');
  if (decoded !== undefined) t.equal(uncovered(rows, true, decoded.length), undefined, `${name}: decoded fields side by side`);
}

const bare = (rows: readonly Row[], layer: string) => rows.filter((row) => row.layer === layer);
const hex = (value: unknown) => (Buffer.isBuffer(value) ? value.toString('hex') : value);

/** The bincode message that the rows of one message tell: name of the field to value, in the form of `plain`. */
function bincodeOf(rows: readonly Row[]): unknown {
  const [group, first, ...rest] = bare(rows, 'bincode');
  if (group?.field === 'status') return first?.name;
  const found: Record<string, any> = { kind: first?.name };
  for (const { field, value, name } of rest) {
    if (/ \((length|count)\)$|^bytes$/.test(field)) {
      if (field === 'chain (count)') found.chain = [];
    } else if (/^chain \d+$/.test(field)) found.chain.push(hex(value));
    else if (field === 'chain') found.chain = [hex(value)];
    else found[field] = hex(name ?? value);
  }
  return found;
}

/** Rows of each group of `layer` at the least depth, with the group's own row in front. */
function groupsOf(rows: readonly Row[], layer: string): Row[][] {
  const groups: Row[][] = [];
  let depth: number | undefined;
  for (const row of rows) {
    if (row.kind === 'group' && row.layer === layer && (depth === undefined || row.depth === depth)) {
      depth = row.depth;
      groups.push([]);
    }
    groups.at(-1)?.push(row);
  }
  return groups;
}

/** The message that the rows of one envelope tell; the last of each field counts. */
function envelopeIn(rows: readonly Row[]): any {
  const [group, ...rest] = bare(rows, 'protobuf');
  const message: any = { context: 0, oneof: null };
  if (group?.field === 'RuntimeManagerResponse') message.status = 'UNSET';
  for (const row of rest) {
    if (/ \(tag and length\)$|^tag and length$|^field \d+$/.test(row.field)) continue;
    if (row.kind === 'group') Object.assign(message, { oneof: row.field, fields: {} });
    else if (row.depth > (group?.depth ?? 0) + 1) message.fields[row.field] = row.value;
    else if (row.field !== 'status') message[row.field] = row.value;
    else if (row.name !== undefined) message.status = row.name;
  }
  return message;
}

/** What `message` has that is not the default of its type: rows tell only what is on the wire. */
function told(message: any): any {
  const { fields, ...rest } = plainEnvelope(message);
  const some = Object.entries<any>(fields ?? {}).filter(([, value]) => value !== 0 && value !== '' && value?.hex !== '');
  return { ...rest, fields: Object.fromEntries(some) };
}

function errorOf(work: () => unknown): VeracruzError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error as VeracruzError;
  }
}

void t.test('every bincode vector: the values of the decoder, and every byte', async (t) => {
  for (const { name, dialect: golden, value } of vectors('bincode')) {
    const target = targetOf(value);
    const dialect = dialectOf(golden);
    const bytes = Buffer.concat(encodeAs(target, messageOf(value), dialect));
    const side = target === 'Status' ? 'status' : target === 'RuntimeManagerRequest' ? 'request' : 'response';
    const got = annotated(bytes, reading({ layer: 'bincode', dialect, side }));
    t.equal(got.fault, undefined, name);
    t.same(bincodeOf(got.rows), plain(decodeAs(target, bytes, dialect)), name);
    covers(t, bytes, got, name);
  }
});

void t.test('every frame vector: the messages of the decoder, and every byte', async (t) => {
  for (const { name, dialect: golden, value, wire } of vectors('frame')) {
    const dialect = dialectOf(golden);
    const header = FRAME_HEADERS[value.header as FrameKind];
    const payloads = (value.payloads as any[]).map((each) => Buffer.concat(encodeAs(targetOf(each), messageOf(each), dialect)));
    const framed = payloads.flatMap((payload) => {
      const head = Buffer.alloc(header.bytes);
      header.write(head, payload.length);
      return [head, payload];
    });
    const bytes = Buffer.concat(framed);
    t.same(asWire(bytes, wire), wire, name);
    const known = { layer: 'frame', dialect, frame: value.header } as const;
    // A Status alone travels in no frame; what is read as one side is read as the other in vectors that mix them.
    const sides = new Set((value.payloads as any[]).map(targetOf));
    const [target] = sides;
    if (sides.size !== 1 || target === undefined || target === 'Status') continue;
    const got = annotated(bytes, reading({ ...known, side: target === 'RuntimeManagerRequest' ? 'request' : 'response' }));
    t.equal(got.fault, undefined, name);
    t.same(
      groupsOf(got.rows, 'frame').map((rows) => bincodeOf(rows)),
      payloads.map((payload) => plain(decodeAs(target, payload, dialect))),
      name,
    );
    covers(t, bytes, got, name);
  }
});

for (const layer of ['protobuf', 'prefix'] as const) {
  void t.test(`every ${layer} vector: the values of the decoder, and every byte`, async (t) => {
    for (const { name, dialect: golden, value, wire } of vectors(layer)) {
      const dialect = dialectOf(golden);
      const { type, message } = envelopeOf(value);
      const body = encodeMessage(type, message, { dialect, ...WIDE });
      const bytes = layer === 'prefix' ? Buffer.concat([encodePrefix(body.length), body]) : body;
      t.same(asWire(bytes, wire), wire, name);
      const got = annotated(bytes, reading({ layer, dialect, type }));
      t.equal(got.fault, undefined, name);
      t.same(told(envelopeIn(got.rows)), told(decodeMessage(type, body, { dialect, ...WIDE })), name);
      covers(t, bytes, got, name);
    }
  });
}

void t.test('every session vector: the id, the bytes of the texts, and every byte', async (t) => {
  for (const { name, value } of vectors('session')) {
    const request = value.kind === 'request';
    const parts = (request ? [value.data] : value.items).map(goldenBytes) as Buffer[];
    const head = value.session_id === null ? '' : `${value.session_id}${request || parts.length > 0 ? ' ' : ''}`;
    const bytes = Buffer.from(head + parts.map((part) => encodeBase64(part).toString()).join(' '));
    const got = annotated(bytes, reading({ layer: 'session', side: value.kind }));
    t.equal(got.fault, undefined, name);
    t.equal(got.rows.find(({ field }) => field === 'session id')?.value, value.session_id ?? undefined, name);
    t.same(
      got.rows.filter(({ field }) => field === 'text').map((row) => row.value),
      parts.filter((part) => part.length > 0),
      name,
    );
    covers(t, bytes, got, name);
  }
});

/** Errors of the layer's own decoders for a broken input, with the offsets that they have in all of it. */
function refusals(
  vector: Vector & { target: string },
  bytes: Buffer,
  side: Reading['side'],
): { offset: number | undefined; code: string }[] {
  const dialect = dialectOf(vector.dialect);
  const found = (error: VeracruzError | undefined, from = 0) =>
    error === undefined ? [] : [{ offset: error.offset === undefined ? undefined : error.offset + from, code: error.code }];
  switch (vector.layer) {
    case 'bincode':
      return found(errorOf(() => decodeAs(vector.target, bytes, dialect)));
    case 'protobuf':
      return found(errorOf(() => decodeMessage(vector.target as EnvelopeName, bytes, { dialect, ...WIDEST })));
    case 'frame': {
      const header = FRAME_HEADERS[vector.target as FrameKind];
      return found(drive(new FrameDecoder(header, header.maxLength), [bytes]).error);
    }
    case 'prefix': {
      const { items, error } = drive(new FrameDecoder(FRAME_HEADERS.be64, Number.MAX_SAFE_INTEGER), [bytes]);
      // Its offsets count from the message at hand, which begins after all that was announced before.
      return found(
        error,
        items.reduce((sum, item) => sum + (item instanceof Announce ? PREFIX_BYTES + item.length : 0), 0),
      );
    }
    case 'session': {
      const decoder = side === 'request' ? new SessionRequestDecoder() : new SessionResponseDecoder();
      const whole = errorOf(() => {
        decoder.push(bytes);
        if (decoder instanceof SessionResponseDecoder) while (decoder.next() !== undefined);
        decoder.end();
      });
      // A text that is broken before the body is: what comes first counts.
      const texts = [...bytes.toString('latin1').matchAll(/[^ \t\r\n]+/g)].slice(1).flatMap(({ 0: text, index }) => {
        if (whole?.offset !== undefined && index >= whole.offset) return [];
        return found(
          errorOf(() => decodeBase64(Buffer.from(text, 'latin1'))),
          index,
        );
      });
      return [...found(whole), ...texts].sort((a, b) => (a.offset ?? 0) - (b.offset ?? 0)).slice(0, 1);
    }
  }
}

void t.test('what a decoder refuses has its fault at the same offset, and every byte a row', async (t) => {
  let refused = 0;
  for (const layer of ['bincode', 'frame', 'prefix', 'protobuf', 'session'] as const) {
    for (const vector of negativeVectors(layer)) {
      const { name, target } = vector;
      const bytes = Buffer.concat((vector.chunks ?? [vector.wire ?? { hex: '' }]).map((chunk) => Buffer.from(chunk.hex, 'hex')));
      const side = target === 'Status' ? 'status' : /^(request|.*Request)$/.test(target) ? 'request' : 'response';
      const as = reading({
        layer,
        dialect: dialectOf(vector.dialect),
        side,
        ...(layer === 'frame' && { frame: target as FrameKind }),
        ...((layer === 'protobuf' || layer === 'prefix') && { type: target as EnvelopeName }),
      });
      const got = annotated(bytes, as);
      covers(t, bytes, got, name);
      const [first] = refusals(vector as Vector & { target: string }, bytes, side);
      // Above its own layer, a message may be broken before the layer's own fault.
      const above =
        got.fault !== undefined &&
        (layer === 'frame' ? got.fault.layer === 'bincode' : layer === 'prefix' && got.fault.layer === 'protobuf');
      if (first === undefined) {
        t.ok(got.fault === undefined || above, `${name}: ${got.fault?.error.message}`);
        continue;
      }
      if (above) continue;
      refused++;
      t.equal(got.fault?.error.code, first.code, name);
      t.ok(got.fault !== undefined && got.fault.offset >= 0 && got.fault.offset <= bytes.length, name);
      if (first.offset !== undefined) t.equal(got.fault?.offset, first.offset, name);
    }
  }
  t.ok(refused > 0);
});

void t.test('records: the values of the decoder, every byte, and its fault', async (t) => {
  const record = fc
    .record({ type: fc.integer({ min: 20, max: 23 }), version: fc.constantFrom(0x0301, 0x0303), body: fc.uint8Array({ maxLength: 40 }) })
    .map(({ type, version, body }) => Buffer.from([type, version >> 8, version & 255, body.length >> 8, body.length & 255, ...body]));
  fc.assert(
    fc.property(fc.array(record, { maxLength: 5 }), fc.option(fc.tuple(fc.nat(), fc.nat({ max: 255 }))), fc.nat(), (list, flip, cut) => {
      const all = Buffer.concat(list);
      const bytes = flip === null ? all.subarray(0, all.length - (cut % 3 === 0 ? cut % (all.length + 1) : 0)) : all;
      if (flip !== null && bytes.length > 0) bytes[flip[0] % bytes.length] = flip[1];
      const { error } = drive(new RecordDecoder(), [bytes]);
      const got = annotated(bytes, reading({ layer: 'record' }));
      const bodies = got.rows.filter(({ field }) => field === 'ciphertext').map(({ value }) => value as Buffer);
      return (
        got.fault?.offset === error?.offset &&
        got.fault?.error.message === error?.message &&
        uncovered(got.rows, false, bytes.length) === undefined &&
        (error !== undefined || bodies.reduce((sum, body) => sum + body.length + 5, 0) === bytes.length)
      );
    }),
    seeded(300),
  );
  const long = Buffer.from('1703034101', 'hex');
  t.match(annotated(long, reading({ layer: 'record' })).fault, { offset: 3, error: { code: 'ERR_VC_LIMIT', got: 0x4101 } });
});

void t.test('whatever the bytes, every byte has a row and nothing else is thrown', async () => {
  const some = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom(
      ...[...vectors('frame'), ...vectors('prefix'), ...vectors('session')].flatMap(({ wire }) =>
        'hex' in wire ? [Buffer.from(wire.hex, 'hex')] : [],
      ),
    ),
  );
  fc.assert(
    fc.property(
      some,
      fc.constantFrom(...LAYER_NAMES),
      fc.constantFrom('2207', '2207-nitro', 'head'),
      fc.nat(),
      fc.nat(),
      (given, layer, dialect, at, byte) => {
        const bytes = Buffer.from(given);
        if (bytes.length > 0 && at % 2 === 0) bytes[at % bytes.length] = byte;
        return readingsOf({ layer, dialect: dialect, frame: at % 3 === 0 ? 'icecap4' : 'tcp9' }).every((as) => {
          const { rows, fault } = annotated(bytes, as);
          const text = [...dumpLines(annotate(bytes, as), plainPaint)];
          const parsed = JSON.parse([...jsonPieces({ layer }, annotate(bytes, as))].join(''));
          return (
            uncovered(rows, false, bytes.length) === undefined &&
            text.length > 0 === rows.length > 0 &&
            (parsed.error === null) === (fault === undefined)
          );
        });
      },
    ),
    seeded(2000),
  );
});

void t.test('a message that is cut short is read as far as it goes', async (t) => {
  const message = encodeMessage('RuntimeManagerRequest', {
    oneof: 'write_file',
    fields: { file_name: 'in.bin', data: Buffer.alloc(700, 7) },
  });
  const bytes = Buffer.concat([encodePrefix(message.length), message]);
  for (let length = 0; length < bytes.length; length++) {
    const got = annotated(bytes.subarray(0, length), reading({ layer: 'prefix', side: 'request' }));
    t.equal(uncovered(got.rows, false, length), undefined);
    t.equal(got.fault?.offset, length === 0 ? undefined : length);
    if (length > 40) t.same(got.rows.find(({ field }) => field === 'file_name')?.value, 'in.bin');
  }
});

void t.test('a fault in a later unit is told where it is in the input', async (t) => {
  const sound = Buffer.from('00000000000000020800', 'hex');
  const far = Buffer.from('0020000000000000', 'hex');
  const got = annotated(Buffer.concat([sound, far]), reading({ layer: 'prefix', side: 'response' }));
  t.match(got.fault, { offset: sound.length, error: { code: 'ERR_VC_LIMIT', offset: 0, got: 2n ** 53n } });
  const frames = Buffer.from(`${'040000000000000000'}05000000${'0400000000000000ff'}09000000`, 'hex');
  const second = annotated(frames, reading({ layer: 'frame', side: 'request' }));
  t.match(second.fault, { offset: 22, layer: 'bincode', error: { code: 'ERR_VC_BINCODE', offset: 0, got: 9 } });
  t.match(
    second.rows.filter(({ field }) => field === 'unused'),
    [
      { value: 0, note: undefined },
      { value: 255, note: 'written as 0, never looked at' },
    ],
  );
  const inside = annotated(Buffer.from('0000000000000004080008ff', 'hex'), reading({ layer: 'prefix', side: 'response' }));
  t.match(inside.fault, { offset: 10, layer: 'protobuf', error: { offset: 2 } });
});

void t.test('many items of one list share a row', async (t) => {
  const chain = Array.from({ length: 1500 }, (_, i) => Buffer.from([i & 255]));
  const slices = encodeAs('RuntimeManagerRequest', { kind: 'Initialize', policy: '{}', chain }, '2207');
  const bytes = Buffer.concat(slices, sliceBytes(slices));
  const got = annotated(bytes, reading({ layer: 'bincode', side: 'request' }));
  t.equal(got.fault, undefined);
  covers(t, bytes, got, 'list');
  t.match(got.rows.at(-1), { field: 'more items', value: 500 });
});

void t.test('the reading that fits is found', async (t) => {
  const best = (layer: Known['layer'], text: string) =>
    choose(Buffer.from(text, 'hex'), readingsOf({ layer, dialect: '2207', frame: 'tcp9' }));
  t.equal(best('bincode', '0300000001').reading.side, 'response', 'only a response has 5 bytes');
  t.equal(best('bincode', '05000000').reading.side, 'request');
  const both = best('bincode', '0100000001000000');
  t.match([both.reading.side, both.other?.side], ['request', 'response'], 'CloseTlsSession(1) and Status(Fail)');
  t.equal(best('protobuf', '080122060a0400000000').reading.type, 'RuntimeManagerResponse', 'no peer sets context');
  t.equal(best('protobuf', '5a040a022f61').reading.type, 'RuntimeManagerRequest');
  t.equal(best('bincode', '0200000000000000000000002a').reading.side, 'response', 'comes further before its fault');
});

void t.test('text can do nothing to a terminal', async (t) => {
  const name = `a\u001b[2Jb\u202ec\u0007\ud83d\ude00\u{e0001}`;
  const bytes = encodeMessage('RuntimeManagerRequest', { oneof: 'read_file', fields: { file_name: name } });
  const text = [...dumpLines(annotate(bytes, reading({ layer: 'protobuf', side: 'request' })), plainPaint)].join('\n');
  t.notMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
  t.match(text, '\\u001b[2Jb\\u202ec\\u0007\ud83d\ude00');
});

void t.test('long byte strings are shown by their ends, a fault by its line', async (t) => {
  const bytes = Buffer.concat([Buffer.from('020000009001000000000000', 'hex'), Buffer.alloc(400, 0xaa), Buffer.from([9])]);
  const lines = [...dumpLines(annotate(bytes, reading({ layer: 'bincode', side: 'response' })), plainPaint)];
  t.ok(lines.includes('           … 352 bytes …'));
  t.equal(lines.filter((line) => line.includes('aa aa')).length, 4, 'two lines of its head, one of its tail, one of the fault');
  t.match(lines.slice(-3), [
    /^first bad byte: offset 412 \(0x19c\), there is 0x09, expected 0\|1, got 9$/,
    / 00000190 {2}(aa ){12}09$/,
    /^ {47}\^\^$/,
  ]);
  const painted = [...dumpLines(annotate(bytes, reading({ layer: 'bincode', side: 'response' })), terminalPaint)].join('\n');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  t.match(painted, /\u001b\[31m/);
});

void t.test('the command', async (t) => {
  const run = (args: string[], input: string | Buffer = '', env = {}) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'inspect', ...args], {
      input,
      env: { ...process.env, ...env },
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  const folder = t.testdir();
  const file = join(folder, 'message.hex');
  writeFileSync(file, '0x07000000 0x05000000\n0200000000000000 16 03\n');

  await t.test('reads a file, standard input, hex, base64 and raw', async (t) => {
    const hexed = run([file, '--layer', 'bincode', '--input', 'hex']);
    t.match(hexed, { status: 0, stderr: '', stdout: 'SendTlsData' });
    const raw = Buffer.from('0700000005000000020000000000000016 03'.replaceAll(' ', ''), 'hex');
    t.equal(run(['--layer', 'bincode'], raw).stdout, hexed.stdout);
    t.equal(
      run(['-', '--layer', 'bincode', '--input', 'base64'], `${raw.toString('base64').slice(0, 10)}\n${raw.toString('base64').slice(10)}\n`)
        .stdout,
      hexed.stdout,
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    t.notMatch(hexed.stdout, /\u001b/, 'no colours in a pipe');
  });

  await t.test('reads dumps of xxd, hexdump and od', async (t) => {
    const bytes = Buffer.concat([Buffer.from('0700000005000000640000000000000016', 'hex'), Buffer.alloc(99)]);
    const expected = run(['--layer', 'bincode'], bytes).stdout;
    const dump = ['--layer', 'bincode', '--input', 'dump'];
    const tools = [
      ...[['xxd'], ['xxd', '-c', '7'], ['xxd', '-g', '1', '-u'], ['xxd', '-a']],
      ...[
        ['hexdump', '-C'],
        ['hexdump', '-vC'],
        ['od', '-t', 'x1'],
        ['od', '-A', 'x', '-t', 'x1z', '-v'],
        ['od', '-A', 'd', '-t', 'x1'],
      ],
    ];
    for (const [tool = '', ...flags] of tools) {
      if (spawnSync(tool, ['/dev/null']).error !== undefined) continue;
      const { stdout } = spawnSync(tool, flags, { input: bytes, encoding: 'utf8' });
      t.equal(run(dump, stdout).stdout, expected, [tool, ...flags].join(' '));
    }
    const lines = '00000000: 0700 0000 0500 0000  ........\n00000008: 6400 0000 0000 0000  d.......\r\n00000010: 16  .\n*\n00000074:\n';
    t.equal(run(dump, lines).stdout, run(['--layer', 'bincode'], Buffer.concat([bytes.subarray(0, 16), Buffer.alloc(100, 0x16)])).stdout);
    for (const [wrong, offset] of [
      ['00000000: 0700\n00000003: 00\n', 0],
      ['0000000 07 00\nno dump\n', 14],
      ['00000000: 07\n*\n', 15],
      ['00000000  07 00\n*\n00000001\n', 0],
    ] as const) {
      const broken = run([...dump, '--json'], wrong);
      t.equal(broken.status, 1, wrong);
      t.match(JSON.parse(broken.stdout), { error: { code: 'ERR_VC_INVALID_ARGUMENT', offset } });
    }
    t.match(run(['--layer', 'bincode', '--input', 'hex'], '00000000: 0700 0000').stdout, '--input dump');
  });

  await t.test('broken input: 1, and where', async (t) => {
    t.match(run(['--layer', 'session'], '0 aGV!bG8='), {
      status: 1,
      stdout: /first bad byte: offset 5 \(0x5, 3 by the count of the layer\), there is 0x21/,
    });
    t.match(run(['--layer', 'record', '--input', 'hex'], '16 0x'), { status: 1, stdout: /no TLS|TLS record/ });
    t.match(run(['--layer', 'record', '--input', 'hex'], '16 0q'), { status: 1, stdout: 'offset 4 (0x4), there is 0x71' });
    t.match(run(['--layer', 'record', '--input', 'base64'], 'AA\nA?'), { status: 1, stdout: 'offset 4 (0x4' });
    const { status, stdout } = run(['--layer', 'frame', '--json'], Buffer.from([5, 0, 0]));
    t.equal(status, 1);
    t.match(JSON.parse(stdout), { layer: 'frame', length: 3, error: { code: 'ERR_VC_TRUNCATED', offset: 3, expected: 9, got: 3 } });
  });

  await t.test('wrong use: 2, and what to do', async (t) => {
    t.match(run([]), { status: 2, stderr: /--layer.*\n.*--help/ });
    t.match(run(['--layer', 'nope']), { status: 2, stderr: 'Allowed choices are' });
    t.match(run([join(folder, 'absent'), '--layer', 'frame']), { status: 2, stderr: 'cannot read' });
    t.match(run([folder, '--layer', 'frame']), { status: 2, stderr: 'is a folder' });
    t.match(run(['--layer', 'frame', '--down']), { status: 2, stderr: 'leave --down out' });
    t.match(run(['--layer', 'frame', '--type', 'Status']), { status: 2, stderr: '--layer bincode' });
    t.match(run(['--layer', 'prefix', '--side', 'response', '--type', 'RuntimeManagerRequest']), { status: 2, stderr: 'leave one out' });
    t.match(run(['--layer', 'frame', '--max-bytes', '0']), { status: 2, stderr: '--max-bytes' });
    t.match(run(['--help']), { status: 0, stdout: 'Examples:' });
  });

  await t.test('--max-bytes: at the limit and one over, of a file and of a pipe', async (t) => {
    const exact = join(folder, 'exact');
    writeFileSync(exact, Buffer.alloc(9));
    t.equal(run([exact, '--layer', 'frame', '--side', 'request', '--max-bytes', '9']).status, 1, 'an empty frame has no message');
    t.match(run([exact, '--layer', 'frame', '--max-bytes', '8']), { status: 1, stdout: '', stderr: 'ERR_VC_LIMIT' });
    t.match(run(['--layer', 'record', '--max-bytes', '5'], Buffer.from('1703030000', 'hex')), { status: 0 });
    t.match(run(['--layer', 'record', '--max-bytes', '4'], Buffer.from('1703030000', 'hex')), {
      status: 1,
      stdout: '',
      stderr: 'ERR_VC_LIMIT',
    });
  });

  await t.test('--down adds the layers below', async (t) => {
    t.match(run(['--layer', 'protobuf', '--input', 'hex', '--down'], '5a040a022f61').stdout, /length = 6\n[\s\S]*"\/a"/);
    t.match(run(['--layer', 'record', '--input', 'hex', '--down'], '1703030000').stdout, /session id = 0[\s\S]*record 1/);
    t.match(
      run(['--layer', 'bincode', '--input', 'hex', '--down', '--frame', 'icecap4'], '05000000').stdout,
      /length = 4\n[\s\S]*NewTlsSession/,
    );
  });

  await t.test('the messages of an attestation server are told by their type', async (t) => {
    const body = encodeMessage('ProxyAttestationServerRequest', {
      oneof: 'start_msg',
      fields: { protocol: 'psa', firmware_version: '0.0' },
    });
    const text = encodeBase64(Buffer.concat([encodePrefix(body.length), body]));
    const { status, stdout } = run(['--layer', 'base64', '--type', 'ProxyAttestationServerRequest', '--json'], text);
    t.equal(status, 0);
    t.match(stdout, '"field":"protocol","offset":12,"length":3,"value":"psa","decoded":true');
  });

  await t.test('a reader that goes away ends it quietly', async (t) => {
    const child = spawn(process.execPath, [MAIN, 'inspect', '--layer', 'record', '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => {});
    child.stdout.once('data', () => child.stdout.destroy());
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.stdin.end(Buffer.alloc(500_000, Buffer.from('1703030000', 'hex')));
    const status = await new Promise((resolve) => child.on('close', resolve));
    t.equal(said, '');
    t.ok(status === 0 || status === 1);
  });

  await t.test('standard input from a file', async (t) => {
    const fd = openSync(file, 'r');
    const { status } = spawnSync(process.execPath, [MAIN, 'inspect', '--layer', 'bincode', '--input', 'hex'], {
      stdio: [fd, 'ignore', 'ignore'],
    });
    closeSync(fd);
    t.equal(status, 0);
  });
});

void t.test('the JSON tree holds the rows', async (t) => {
  const bytes = Buffer.from('0d00000000000000000200000000000000000000000118', 'hex').subarray(0, 22);
  const as = reading({ layer: 'frame', side: 'response' });
  const tree = JSON.parse([...jsonPieces({ layer: 'frame' }, annotate(bytes, as))].join(''));
  const flat: object[] = [];
  const walk = ({ children, ...node }: any) => {
    flat.push(node);
    for (const child of children ?? []) walk(child);
  };
  for (const child of tree.children) walk(child);
  const rows: Annotation[] = [...annotate(bytes, as)];
  t.equal(flat.length, rows.length);
  t.match(
    flat,
    rows.map(({ kind, ...row }: any) => ({ layer: row.layer, field: row.field, offset: row.offset, length: row.length })),
  );
});
