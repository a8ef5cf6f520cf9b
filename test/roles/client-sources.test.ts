/** What a client takes as the contents of a file, and where the contents of an answer go. */
import { Blob, File } from 'node:buffer';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { ReadableStream } from 'node:stream/web';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import type { FileSource } from '../../lib/roles/client/source.js';
import { within } from '../support/foreign.js';
import { collect, content, freshFolder, startRoles, stored } from '../support/roles.js';

/** A web stream of these chunks; `cancelled` is called when it is given up. */
function webStream(chunks: readonly Uint8Array[], cancelled = () => {}): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks[at++];
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
    cancel: cancelled,
  });
}

void t.test('contents in every form that Node has for them', async (t) => {
  const { connect, store } = await startRoles(t);
  const client = await connect();
  const bytes = content(300_001);
  const halves = [bytes.subarray(0, 100_000), bytes.subarray(100_000)];
  const padded = new Uint8Array(bytes.length + 7);
  padded.set(bytes, 7);
  const forms: Record<string, FileSource> = {
    Blob: new Blob(halves),
    File: new File(halves, 'name.bin'),
    'web stream': webStream(halves),
    'web stream of a Blob': new Blob(halves).stream(),
    'list of Buffers': halves,
    'set of Uint8Arrays': new Set(halves.map((half) => new Uint8Array(half))),
    generator: (function* () {
      yield* halves;
    })(),
    ArrayBuffer: new Uint8Array(bytes).buffer,
    'view of a part': new Uint8Array(padded.buffer, 7),
  };
  for (const [form, source] of Object.entries(forms)) {
    await client.writeFile(form, source);
    t.ok((await stored(store, `/${form}`))?.equals(bytes), form);
  }
  await client.writeFile('sized', webStream(halves), { size: bytes.length });
  t.ok((await stored(store, '/sized'))?.equals(bytes), 'a web stream with its size');
  await t.rejects(client.writeFile('wrong', new Blob(halves), { size: 7 }), { code: 'ERR_VC_LENGTH_MISMATCH', got: bytes.length });
});

void t.test('text is contents, in UTF-8, and never a path', async (t) => {
  const { connect, store } = await startRoles(t);
  const client = await connect();
  const path = join(freshFolder(t), 'a file that is there');
  writeFileSync(path, 'its contents');
  await client.writeFile('/text', path);
  t.equal(String(await stored(store, '/text')), path, 'the text itself');
  await client.writeFile('/text', 'größer ', { size: 9 });
  await client.appendFile('/text', '€');
  t.equal(String(await stored(store, '/text')), 'größer €');
  await client.writeFile('/text', '');
  t.equal((await stored(store, '/text'))?.length, 0);
  await client.writeFile('/text', { path });
  t.equal(String(await stored(store, '/text')), 'its contents', 'a path is said to be one');
});

void t.test('a source that cannot be one is refused, and the session goes on', async (t) => {
  const { connect, store } = await startRoles(t);
  const client = await connect();
  const wrong: [string, RegExp, unknown][] = [
    ['a URL of the web', /file: URL, not https:/, new URL('https://example.org/a')],
    ['a path that is none', /path is a text, got number/, { path: 7 }],
    ['null', /not null/, null],
    ['an object', /contents are text, bytes, .* not object/, {}],
    ['a list of numbers', /gives bytes, not number/, [1, 2, 3]],
    ['a web stream of text', /gives bytes, not string/, webStream(['text'] as unknown as Uint8Array[])],
  ];
  for (const [what, message, source] of wrong) {
    await t.rejects(client.writeFile('/f', source as FileSource), { code: 'ERR_VC_INVALID_ARGUMENT', message }, what);
  }
  await client.writeFile('/f', 'kept');
  t.equal(String(await stored(store, '/f')), 'kept');
});

void t.test('a web stream that is not read to its end is cancelled', async (t) => {
  const { connect } = await startRoles(t);
  const client = await connect();
  const cancelled = new Promise<void>((resolve) => {
    const source = webStream([content(10), content(10)], resolve);
    client.writeFile('/f', source, { signal: AbortSignal.abort() }).catch(() => {});
  });
  await within('the cancelling', cancelled);
});

void t.test('an answer goes where { path } or a file: URL says, as a web stream, or into a Response', async (t) => {
  const { connect } = await startRoles(t);
  const client = await connect();
  const folder = freshFolder(t);
  for (const size of [0, 1000, 700_000]) {
    const bytes = content(size);
    await client.writeFile('/f', bytes);
    for (const to of [{ path: join(folder, 'out') }, pathToFileURL(join(folder, 'out'))]) {
      t.same(await client.readFile('/f', { to }), { bytes: size });
      t.ok(readFileSync(join(folder, 'out')).equals(bytes));
    }
    const web = Readable.toWeb(await client.readFile('/f'));
    const chunks: Uint8Array[] = [];
    for await (const chunk of web) chunks.push(chunk as Uint8Array);
    t.ok(Buffer.concat(chunks).equals(bytes), `${size} bytes by a web stream`);
    const response = new Response(Readable.toWeb(await client.readFile('/f')) as ReadableStream<Uint8Array>);
    t.ok(Buffer.from(await response.arrayBuffer()).equals(bytes), `${size} bytes by a Response`);
    t.ok((await collect(await client.readFile('/f'))).equals(bytes), `${size} bytes by a Readable`);
  }
  await client.writeFile('/f', 'text');
  t.equal(await text(await client.readFile('/f')), 'text');
  // What is written may be what another client reads, web stream or not.
  const other = await connect();
  await other.writeFile('/copy', Readable.toWeb(await client.readFile('/f')) as ReadableStream<Uint8Array>);
  t.equal(await text(await other.readFile('/copy')), 'text');
});

void t.test('a text as the place of an answer is refused before anything is asked', async (t) => {
  const { connect } = await startRoles(t);
  const client = await connect();
  const folder = freshFolder(t);
  const posts = client.wire.posts;
  for (const to of [join(folder, 'out'), null, 7, new URL('https://example.org/')]) {
    await t.rejects(client.readFile('/f', { to: to as unknown as URL }), { code: 'ERR_VC_INVALID_ARGUMENT', layer: 'client' });
  }
  t.equal(client.wire.posts, posts);
  t.same(readdirSync(folder), []);
});
