import { once } from 'node:events';
import fc from 'fast-check';
import t from 'tap';
import { Connection } from '../../../lib/core/connection.js';
import {
  InvalidArgumentError,
  InvalidOptionError,
  LimitError,
  SessionMismatchError,
  SessionTextError,
  SessionUnknownError,
  VeracruzError,
} from '../../../lib/core/errors.js';
import { BOUNDARY, type BodyChunk } from '../../../lib/core/unit.js';
import {
  type SessionOptions,
  SessionRequestDecoder,
  SessionResponseDecoder,
  session,
  sessionHead,
  splitBody,
} from '../../../lib/layers/session/index.js';
import { feed } from '../../support/feed.js';
import { byteByByte, cutAt, everyCut, seeded, wholePiece } from '../../support/splits.js';
import { script } from '../frame/script.js';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
/** What a direction gave, as text. */
const lines = (items: readonly unknown[]) =>
  script(items).map((line) => (line === 'boundary' ? '|' : Buffer.from(line, 'hex').toString('latin1')));
const inbound = (options: SessionOptions, chunks: readonly unknown[], connection = new Connection()) =>
  feed(session(options).inbound(connection), chunks);

/** One request body through the pure decoder. */
function readRequest(pieces: readonly Buffer[], options = {}) {
  const decoder = new SessionRequestDecoder(options);
  try {
    const texts = pieces.map((piece) => decoder.push(piece));
    decoder.end();
    return { id: decoder.id, text: texts.map((text) => text?.toString('latin1') ?? '').join('') };
  } catch (error) {
    return { error: error as VeracruzError };
  }
}

/** One response body through the pure decoder. */
function readResponse(pieces: readonly Buffer[], options = {}) {
  const decoder = new SessionResponseDecoder(options);
  const items: unknown[] = [];
  const drain = () => {
    for (let item = decoder.next(); item !== undefined; item = decoder.next()) items.push(item);
  };
  try {
    for (const piece of pieces) {
      decoder.push(piece);
      drain();
    }
    decoder.end();
    drain();
    return { id: decoder.id, lines: lines(items) };
  } catch (error) {
    return { error: error as VeracruzError };
  }
}

const variants = (text: string) => [wholePiece(latin1(text)), byteByByte(latin1(text)), ...everyCut(latin1(text))];

void t.test('requests that are taken, however they are cut', async (t) => {
  const good: [string, number, string][] = [
    ['0 YQ==', 0, 'YQ=='],
    ['4294967295 YQ==', 4294967295, 'YQ=='],
    ['\t5\r\n YQ==\n', 5, 'YQ=='],
    ['7 ', 7, ''],
    ['7', 7, ''],
    [' 10\n', 10, ''],
    ['1 *not* ', 1, '*not*'],
  ];
  for (const [body, id, text] of good) {
    for (const pieces of variants(body)) t.same(readRequest(pieces), { id, text }, `${JSON.stringify(body)} cut at ${pieces[0]?.length}`);
  }
});

void t.test('the id is known as soon as the byte after it is there', async (t) => {
  const request = new SessionRequestDecoder();
  t.equal(request.push(latin1('71')), undefined);
  t.equal(request.id, undefined);
  t.equal(request.push(latin1('2 ')), undefined);
  t.equal(request.id, 712);
  const piece = latin1('YWFh');
  t.equal(request.push(piece)?.buffer, piece.buffer, 'text is a view');
  request.end();
});

void t.test('requests that are refused, with the offset, however they are cut', async (t) => {
  const bad: [string, number][] = [
    ['', 0],
    [' \r\n', 3],
    ['-1 YQ==', 0],
    ['+5 YQ==', 0],
    ['05 YQ==', 1],
    ['00 YQ==', 1],
    ['5.0 YQ==', 1],
    ['0x7 YQ==', 1],
    ['1_0 YQ==', 1],
    ['YQ==', 0],
    ['5YQ==', 1],
    ['4294967296 YQ==', 9],
    ['9999999999 YQ==', 9],
    ['10000000000 YQ==', 10],
    ['5\u00a0YQ==', 1],
    ['5\u0085YQ==', 1],
    ['\u00ef\u00bb\u00bf5 YQ==', 0],
    ['5 YQ== YQ==', 7],
    [' 5 YQ== \n x', 10],
  ];
  for (const [body, offset] of bad) {
    for (const pieces of variants(body)) {
      const { error } = readRequest(pieces);
      t.type(error, SessionTextError, JSON.stringify(body));
      t.match(error, { layer: 'session', offset }, `${JSON.stringify(body)} cut at ${pieces[0]?.length}`);
    }
  }
  for (const body of ['5', '5 ', ' 5\n']) t.type(readRequest([latin1(body)], { allowPoll: false }).error, SessionTextError, body);
  t.same(readRequest([latin1('5 YQ==')], { allowPoll: false }), { id: 5, text: 'YQ==' });
});

void t.test('responses, however they are cut', async (t) => {
  const good: [string, number | undefined, string[]][] = [
    ['', undefined, []],
    [' \n', undefined, []],
    ['5', 5, []],
    ['5 ', 5, []],
    ['5 YQ==', 5, ['YQ==', '|']],
    ['5 YQ==\n', 5, ['YQ==', '|']],
    ['0 YQ==', 0, ['YQ==', '|']],
    ['5 YQ==  Yg==\tYw==\r\nZA==', 5, ['YQ==', '|', 'Yg==', '|', 'Yw==', '|', 'ZA==', '|']],
  ];
  for (const [body, id, expected] of good) {
    for (const pieces of variants(body))
      t.same(readResponse(pieces), { id, lines: expected }, `${JSON.stringify(body)} cut at ${pieces[0]?.length}`);
  }
  for (const body of ['x YQ==', 'YQ==', '-1', '01 YQ==', '4294967296']) {
    for (const pieces of variants(body)) t.type(readResponse(pieces).error, SessionTextError, body);
  }
});

void t.test('a flood of digits or of white space is refused while it comes', async (t) => {
  const endless = latin1('1'.repeat(10_000));
  t.match(readRequest([endless]).error, { code: 'ERR_VC_SESSION_TEXT', offset: 10 });
  for (const read of [readRequest, readResponse]) {
    for (const [before, after] of [
      ['', '5 YQ=='],
      ['5', 'YQ=='],
      ['5 YQ==', ''],
    ]) {
      const run = (count: number) => {
        const body = `${before}${' \t\n\r'.repeat(count).slice(0, count)}${after}`;
        return [read([latin1(body)], { maxWhitespaceBytes: 50 }), read(byteByByte(latin1(body)), { maxWhitespaceBytes: 50 })];
      };
      for (const { error } of run(50)) t.equal(error, undefined, 'at the limit');
      for (const { error } of run(51)) {
        t.type(error, LimitError);
        t.match(error, { layer: 'session', limit: 50, got: 51, offset: (before as string).length + 50 });
      }
    }
  }
  const apart = latin1(`5${' YQ=='.repeat(100)}`);
  t.equal(readResponse([apart], { maxWhitespaceBytes: 1 }).error, undefined, 'runs are counted one by one');
});

void t.test('a client writes requests', async (t) => {
  const [a, b] = [latin1('YWFh'), latin1('YQ==')];
  const run = async (chunks: unknown[], id = 0) => lines((await feed(session({ end: 'client', id }).outbound(), chunks)).items);
  t.same(await run([a, b, BOUNDARY, b, BOUNDARY], 71), ['71 YWFhYQ==', '|', '71 YQ==', '|']);
  t.same(await run([BOUNDARY, BOUNDARY], 5), ['5 ', '|', '5 ', '|'], 'polls');
  t.same(await run([a]), ['0 YWFh'], 'the end ends a body');
  t.same(await run([Buffer.alloc(0), a, Buffer.alloc(0), BOUNDARY]), ['0 YWFh', '|'], 'empty chunks are nothing');
  const { items } = await feed(session({ end: 'client' }).outbound(), [a, BOUNDARY]);
  t.equal(items[1], a, 'text is not copied');
});

void t.test('a server writes one body', async (t) => {
  const [a, b] = [latin1('YWFh'), latin1('YQ==')];
  const run = async (...chunks: unknown[]) => lines((await feed(session({ end: 'server', id: 9 }).outbound(), chunks)).items).join('');
  t.equal(await run(), '');
  t.equal(await run(a, b, BOUNDARY), '9 YWFhYQ==');
  t.equal(await run(a, BOUNDARY, b, BOUNDARY), '9 YWFh YQ==');
  t.equal(await run(a, BOUNDARY, b), '9 YWFh YQ==');
  t.equal(await run(BOUNDARY), '9 ', 'an item without text');
  t.equal(await run(a, BOUNDARY, BOUNDARY, b, BOUNDARY), '9 YWFh  YQ==', 'between two others');
});

void t.test('a client learns its session, and keeps it', async (t) => {
  const told: number[] = [];
  const layer = session({ end: 'client', onId: (id) => told.push(id) });
  const connection = new Connection('label');
  const reader = layer.inbound(connection);
  const writer = layer.outbound(connection);
  const sent: unknown[] = [];
  const received: unknown[] = [];
  writer.on('data', (item: unknown) => sent.push(item));
  reader.on('data', (item: unknown) => received.push(item));
  const failed = once(reader, 'error');
  writer.write(latin1('YQ=='));
  writer.write(BOUNDARY);
  for (const chunk of ['', BOUNDARY, '0', BOUNDARY, '71', '2 YWFh', BOUNDARY])
    reader.write(typeof chunk === 'string' ? latin1(chunk) : chunk);
  writer.write(BOUNDARY);
  t.same(lines(sent), ['0 YQ==', '|', '712 ', '|']);
  t.same(lines(received), ['YWFh', '|']);
  t.equal(connection.session, '712');
  t.equal(layer.state(connection).id, 712);
  for (const chunk of ['712 YmJi YWFh', BOUNDARY, '', BOUNDARY, '713 Y2Nj'])
    reader.write(typeof chunk === 'string' ? latin1(chunk) : chunk);
  const [error] = (await failed) as [VeracruzError];
  t.type(error, SessionMismatchError);
  t.match(error, { layer: 'session', session: '712', expected: 712, got: 713 });
  t.same(lines(received), ['YWFh', '|', 'YmJi', '|', 'YWFh', '|'], 'nothing of the foreign body is given');
  t.same(told, [712], 'told once');
  t.not(layer.state(new Connection()), layer.state(connection), 'another connection has another state');
});

void t.test('a client does not go back to session 0', async (t) => {
  for (const body of ['0 YQ==', '0', '8 YQ==']) {
    const { error, items } = await inbound({ end: 'client', id: 7 }, [latin1(body)]);
    t.type(error, SessionMismatchError, body);
    t.match(error, { expected: 7, got: Number(body[0]) });
    t.same(items, []);
  }
  t.same(lines((await inbound({ end: 'client', id: 7 }, [latin1('7 YQ==')])).items), ['YQ==', '|']);
});

void t.test('a server reads requests, one after the other', async (t) => {
  const connection = new Connection();
  const layer = session({
    end: 'server',
    onId: (id, state) => {
      if (id === 0) state.id = 77;
      if (id === 13) throw new SessionUnknownError('no session 13', { got: 13 });
    },
  });
  const fed = await feed(layer.inbound(connection), [latin1('0 YW'), latin1('Fh'), BOUNDARY]);
  t.same(lines(fed.items), ['YWFh', '|']);
  t.equal(connection.session, '77');
  t.equal(lines((await feed(layer.outbound(connection), [latin1('YQ=='), BOUNDARY])).items).join(''), '77 YQ==', 'the response has the id');
  const many = await feed(
    layer.inbound(connection),
    ['5 YQ==', BOUNDARY, '6 ', BOUNDARY, '7 Yg=='].map((c) => (typeof c === 'string' ? latin1(c) : c)),
  );
  t.same(lines(many.items), ['YQ==', '|', '|', 'Yg==', '|']);
  t.equal(layer.state(connection).id, 7);
  const refused = await feed(layer.inbound(connection), [latin1('13 YQ==')]);
  t.type(refused.error, SessionUnknownError);
  t.same(refused.items, [], 'nothing of a refused body is given');
});

void t.test('a server: empty bodies and the end', async (t) => {
  t.type((await inbound({ end: 'server' }, [BOUNDARY])).error, SessionTextError, 'BOUNDARY alone is an empty body');
  t.type((await inbound({ end: 'server' }, [latin1('5 YQ=='), BOUNDARY, BOUNDARY])).error, SessionTextError);
  t.same((await inbound({ end: 'server' }, [])).items, [], 'the end alone is none');
  t.equal((await inbound({ end: 'server' }, [latin1('5 YQ=='), BOUNDARY])).error, undefined);
  t.type((await inbound({ end: 'server' }, [latin1(' ')])).error, SessionTextError);
  t.same(lines((await inbound({ end: 'server' }, [latin1('5')])).items), ['|'], 'a poll');
  t.type((await inbound({ end: 'server', allowPoll: false }, [latin1('5')])).error, SessionTextError);
});

void t.test('round trip of any items in any cut, both kinds', async (t) => {
  const anyItems = fc.array(fc.stringMatching(/^[A-Za-z0-9+/]{0,200}$/), { maxLength: 8 });
  const anyId = fc.integer({ min: 0, max: 0xffff_ffff });
  await fc.assert(
    fc.asyncProperty(anyItems, anyId, fc.array(fc.nat(), { maxLength: 9 }), async (items, id, offsets) => {
      const chunks = items.flatMap((item) => [latin1(item), BOUNDARY]);
      const full = items.filter((item) => item !== '');
      const response = await feed(session({ end: 'server', id }).outbound(), chunks);
      const read = await inbound({ end: 'client' }, cutAt(response.bytes, offsets));
      t.same(
        lines(read.items),
        full.flatMap((item) => [item, '|']),
      );
      const ids: number[] = [];
      const requests = await feed(session({ end: 'client', id }).outbound(), chunks);
      const recut = requests.items.flatMap((item): unknown[] => (Buffer.isBuffer(item) ? cutAt(item, offsets) : [item]));
      const back = await inbound({ end: 'server', onId: (told) => ids.push(told) }, recut);
      t.equal(back.error, undefined);
      t.same(
        lines(back.items),
        items.flatMap((item) => (item === '' ? ['|'] : [item, '|'])),
      );
      t.same(
        ids,
        items.map(() => id),
      );
    }),
    seeded(60),
  );
});

void t.test('any body is read the same in any cut, or refused by an error of ours', async (t) => {
  const byte = fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(...latin1('  \t\r\n0123456789YQ=')));
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 40 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, offsets) => {
      const body = Buffer.from(bytes);
      for (const read of [readRequest, readResponse]) {
        const [whole, cut, single] = [read([body]), read(cutAt(body, offsets)), read(byteByByte(body))];
        for (const other of [cut, single]) {
          const { error } = other;
          if (error === undefined ? JSON.stringify(other) !== JSON.stringify(whole) : whole.error?.offset !== error.offset) return false;
          if (error !== undefined && !(error instanceof VeracruzError)) return false;
        }
      }
      return true;
    }),
    seeded(3000),
  );
  t.pass();
});

void t.test('a flood of items waits for a slow reader', async (t) => {
  const stream = session({ end: 'client' }).inbound();
  stream.write(latin1(`5${' YQ=='.repeat(20_000)}`));
  await once(stream, 'readable');
  t.ok(stream.readableLength <= stream.readableHighWaterMark, `${stream.readableLength} items wait`);
  const { items } = await feed(stream, [] as BodyChunk[]);
  t.equal(items.length, 40_000);
});

void t.test('heads and options', async (t) => {
  t.same(sessionHead(0), latin1('0 '));
  t.same(sessionHead(4294967295), latin1('4294967295 '));
  for (const id of [-1, 2 ** 32, 1.5, Number.NaN]) {
    t.throws(() => sessionHead(id), InvalidArgumentError);
    t.throws(() => session({ end: 'client', id }), InvalidOptionError);
  }
  for (const maxWhitespaceBytes of [0, 2 ** 20 + 1]) t.throws(() => session({ end: 'client', maxWhitespaceBytes }), InvalidOptionError);
  t.throws(() => session({ end: 'middle' as 'client' }), InvalidOptionError);
  t.same(session({ end: 'client' }).limits, { end: 'client', maxWhitespaceBytes: 1024 });
  t.same(session({ end: 'server' }).limits, { end: 'server', allowPoll: 'true', maxWhitespaceBytes: 1024 });
});

void t.test('a body is cut into bodies that mean the same', async (t) => {
  const letters = Buffer.alloc(100, 1).toString('base64');
  for (const id of ['7', '4294967295']) {
    for (const maxBytes of [15, 16, 30, 64, 1000]) {
      const parts = splitBody(latin1(`${id} ${letters}`), maxBytes) as Buffer[];
      t.ok(parts.every((part) => part.length <= maxBytes && part.toString('latin1').startsWith(`${id} `)));
      const bytes = parts.map((part) => Buffer.from(part.toString('latin1').slice(id.length + 1), 'base64'));
      t.same(Buffer.concat(bytes), Buffer.alloc(100, 1), `${id}, at most ${maxBytes}`);
    }
  }
  t.equal(splitBody(latin1(`7 ${letters}`), 14), undefined, 'too short for the longest id and four letters');
  t.equal(splitBody(latin1(`0 ${letters}`), 64), undefined, 'each part would open a session');
  t.equal(splitBody(latin1(letters), 64), undefined, 'no id');
});
