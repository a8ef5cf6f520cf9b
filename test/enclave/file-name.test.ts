import fc from 'fast-check';
import t from 'tap';
import { FileNameError } from '../../lib/core/errors.js';
import { isAtOrBelow, isNormal, MAX_FILE_NAME_BYTES, normaliseName, normaliseTop } from '../../lib/enclave/store/file-name.js';
import { seeded } from '../support/splits.js';

function refusal(name: string, maxBytes?: number): FileNameError {
  try {
    normaliseName(name, maxBytes);
  } catch (thrown) {
    if (thrown instanceof FileNameError) return thrown;
    throw thrown;
  }
  throw new Error(`accepted ${JSON.stringify(name.slice(0, 40))}`);
}

/** A legal name of exactly `bytes` UTF-8 bytes, in segments of at most 200. */
function nameOf(bytes: number): string {
  let name = '';
  while (name.length < bytes) name += `/${'n'.repeat(Math.min(200, bytes - name.length - 1))}`;
  return name;
}

void t.test('the normal form', async (t) => {
  t.equal(normaliseName('/input/a.dat'), '/input/a.dat');
  t.equal(normaliseName('input/a.dat'), '/input/a.dat', 'a missing slash is added');
  t.equal(normaliseName('//input///a.dat//'), '/input/a.dat', 'slashes collapse, a trailing one goes');
  t.equal(normaliseName('/...'), '/...', 'three dots are a name');
  t.equal(normaliseName('/.hidden'), '/.hidden');
  t.equal(normaliseName('\\a'), '/\\a', 'a backslash is a character');
  t.equal(normaliseName('/a\nb'), '/a\nb', 'so is a line feed');
});

void t.test('streams have no slash, files have', async (t) => {
  for (const stream of ['stdin', 'stdout', 'stderr']) {
    t.equal(normaliseName(stream), stream);
    t.equal(normaliseName(`/${stream}`), `/${stream}`);
    t.equal(normaliseName(`${stream}/`), `/${stream}`);
  }
  t.equal(normaliseName('stdlog'), '/stdlog');
});

void t.test('what is refused', async (t) => {
  for (const name of ['', '/', '///', '.', '..', '/..', '/a/../b', '/a/./b', 'a/..', '../a', '/a/..//', 'stdin/..']) {
    t.equal(refusal(name).layer, 'file-store', JSON.stringify(name));
  }
  t.match(refusal('/a\0b'), { code: 'ERR_VC_FILE_NAME', offset: 2 });
  t.match(refusal('stdin\0'), { offset: 5 });
  t.match(refusal('/a\ud800b'), { offset: 2 });
  t.match(refusal('/\udc00\ud800'), { offset: 1 });
  t.equal(normaliseName('/\u{1f600}'), '/\u{1f600}', 'a pair of surrogates is one character');
});

void t.test('limits, at and one over', async (t) => {
  t.equal(Buffer.byteLength(normaliseName(nameOf(MAX_FILE_NAME_BYTES))), 4096);
  t.match(refusal(nameOf(MAX_FILE_NAME_BYTES + 1)), { got: 4097, limit: 4096 });
  t.match(refusal(nameOf(MAX_FILE_NAME_BYTES + 1).slice(1)), { got: 4097, limit: 4096 }, 'the added slash counts');
  t.match(refusal('/'.repeat(4097)), { got: 4097, limit: 4096 }, 'so do those that collapse');
  t.equal(normaliseName(`/${'n'.repeat(255)}`).length, 256);
  t.match(refusal(`/${'n'.repeat(256)}`), { got: 256, limit: 255 });
  t.match(refusal(`/${'é'.repeat(128)}`), { got: 256, limit: 255 }, 'bytes, not characters');
  t.equal(normaliseName('/abc', 4), '/abc');
  t.match(refusal('/abcd', 4), { got: 5, limit: 4 });
});

void t.test('Unicode forms stay apart', async (t) => {
  const [composed, decomposed] = ['/caf\u00e9', '/cafe\u0301'];
  t.equal(normaliseName(composed), composed);
  t.equal(normaliseName(decomposed), decomposed);
});

void t.test('a name that may be the root, and what is below what', async (t) => {
  t.same(
    ['/', '///', 'a//b/', 'stdin'].map((name) => normaliseTop(name)),
    ['/', '/', '/a/b', 'stdin'],
  );
  t.throws(() => normaliseTop(''), FileNameError);
  t.throws(() => normaliseTop('/abc', 3), FileNameError);
  t.same(['/a', 'stdin', 'a', '/a/', '/', '/..', ''].filter(isNormal), ['/a', 'stdin']);
  const below = (top: string) => ['/a', '/a/b', '/ab', 'stdin', '/stdin'].filter((name) => isAtOrBelow(name, top));
  t.same(below('/a'), ['/a', '/a/b']);
  t.same(below('/'), ['/a', '/a/b', '/ab', '/stdin']);
  t.same(below('stdin'), ['stdin']);
});

void t.test('normalising twice changes nothing, and the normal form is safe', async () => {
  const piece = fc.oneof(fc.constantFrom('/', '.', '..', 'a', 'stdin', '\0', '\\', '\u0301'), fc.string({ unit: 'binary', maxLength: 4 }));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      let normal: string;
      try {
        normal = normaliseName(pieces.join(''));
      } catch (thrown) {
        return thrown instanceof FileNameError;
      }
      const safe = /^(stdin|(\/[^/\0]+)+)$/u.test(normal) && !/\/\.\.?(\/|$)/.test(normal);
      return safe && normaliseName(normal) === normal;
    }),
    seeded(5000),
  );
});
