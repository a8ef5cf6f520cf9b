import t from 'tap';
import { given, integerInRange, oneOf, textOf } from '../../lib/core/check.js';

void t.test('integerInRange accepts whole numbers in the range, its ends included', async (t) => {
  for (const value of [1, 5, 9]) t.equal(integerInRange('maxBytes', value, 1, 9), value);
  for (const value of [0, 10, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5' as unknown as number, 2n as unknown as number]) {
    t.throws(() => integerInRange('maxBytes', value, 1, 9), {
      code: 'ERR_VC_INVALID_OPTION',
      message: `maxBytes must be a whole number from 1 to 9, got ${value}`,
      expected: '1..9',
      got: value,
    });
  }
});

void t.test('oneOf accepts one of the choices only', async (t) => {
  t.equal(oneOf('end', 'client', ['client', 'server']), 'client');
  for (const value of ['', 'Client', 'toString', undefined as unknown as string]) {
    t.throws(() => oneOf('end', value, ['client', 'server']), { code: 'ERR_VC_INVALID_OPTION', expected: 'client|server', got: value });
  }
});

void t.test('`given` refuses a missing value, `textOf` a value that is no string', async (t) => {
  for (const value of [0, '', false, {}]) t.equal(given('key', value), value);
  for (const value of [undefined, null]) t.throws(() => given('key', value), { code: 'ERR_VC_INVALID_OPTION', message: 'key is missing' });
  t.equal(textOf('policy', ''), '');
  for (const value of [undefined, null, 5, {}, Buffer.from('x')]) {
    t.throws(() => textOf('policy', value), { code: 'ERR_VC_INVALID_OPTION', expected: 'string', got: typeof value });
  }
});
