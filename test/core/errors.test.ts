import t from 'tap';
import { AbortedError, asVeracruzError, ERROR_CLASSES, LimitError, TransportError, VeracruzError } from '../../lib/core/errors.js';

const FIGURES = { layer: 'frame', session: '7', expected: 9n, got: 'x', limit: 5, offset: 3, cause: new Error('below') };

void t.test('every class carries its figures and its own name', async (t) => {
  for (const ErrorClass of ERROR_CLASSES) {
    const error = new ErrorClass('what happened', FIGURES);
    t.match(error, { ...FIGURES, message: 'what happened', name: ErrorClass === AbortedError ? 'AbortError' : ErrorClass.name });
    t.ok(error instanceof VeracruzError && error instanceof Error);
  }
});

void t.test('figures and a cause that were not given are undefined', async (t) => {
  const error = new LimitError('x');
  t.same([error.layer, error.session, error.expected, error.got, error.limit, error.offset], Array(6).fill(undefined));
  t.notOk('cause' in error);
});

void t.test('asVeracruzError', async (t) => {
  await t.test('an error of this library stays the same object, and gets missing figures', async (t) => {
    const error = new LimitError('x', { limit: 1 });
    t.equal(asVeracruzError(error, { layer: 'frame', session: '7' }), error);
    t.match(error, { layer: 'frame', session: '7', limit: 1 });
    asVeracruzError(error, { layer: 'tls', session: '8' });
    t.match(error, { layer: 'frame', session: '7' }, 'the first to name a layer has seen it first');
  });
  await t.test('an error of Node becomes a TransportError with the original as its cause', async (t) => {
    const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    const error = asVeracruzError(cause, { layer: 'transport' });
    t.ok(error instanceof TransportError);
    t.match(error, { message: 'read ECONNRESET', layer: 'transport', cause });
  });
  await t.test('an abort is recognised by its name or its code', async (t) => {
    const byName = new DOMException('This operation was aborted', 'AbortError');
    const byCode = Object.assign(new Error('The operation was aborted'), { code: 'ABORT_ERR' });
    for (const cause of [byName, byCode]) {
      const error = asVeracruzError(cause);
      t.ok(error instanceof AbortedError);
      t.equal(error.cause, cause);
    }
  });
  await t.test('any other thrown value', async (t) => {
    const thrown: [unknown, string][] = [
      ['text', 'text'],
      [7, '7'],
      [null, 'null'],
      [undefined, 'undefined'],
      [{ odd: true }, '[object Object]'],
    ];
    for (const [value, message] of thrown) {
      const error = asVeracruzError(value);
      t.ok(error instanceof TransportError);
      t.equal(error.message, message);
    }
  });
});
