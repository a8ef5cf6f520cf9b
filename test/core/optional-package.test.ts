import t from 'tap';
import { VeracruzError } from '../../lib/core/errors.js';
import { importOptional } from '../../lib/core/optional-package.js';

void t.test('a package that is not there is named, with what to install', async (t) => {
  await t.rejects(importOptional('no-such-package', 'this test', 'test'), {
    code: 'ERR_VC_MISSING_PACKAGE',
    message: 'this test needs the package no-such-package: npm install no-such-package',
    expected: 'no-such-package',
    layer: 'test',
  });
});

void t.test('one that is there comes as it is', async (t) => {
  const { default: forge } = await importOptional<{ default: object }>('node-forge', 'this test', 'test');
  t.ok('asn1' in forge);
});

void t.test('what fails while it is loaded is not called missing', async (t) => {
  const throws = `data:text/javascript,throw new RangeError('broken')`;
  await t.rejects(importOptional(throws, 'this test', 'test'), { name: 'RangeError', message: 'broken' });
  const needsMore = `data:text/javascript,import 'no-such-package-inside'`;
  const error = await importOptional(needsMore, 'this test', 'test').catch((thrown: unknown) => thrown);
  t.ok(error instanceof Error && !(error instanceof VeracruzError));
});
