/** Texts: policies, scripts of pipelines, capabilities, addresses, names of files. */

import { parsePipeline } from '../../../../lib/enclave/compute/pipeline/parse.js';
import { parseCapabilities, readPolicy } from '../../../../lib/enclave/policy/index.js';
import { normaliseName } from '../../../../lib/enclave/store/file-name.js';
import { formatAddress, parseAddress } from '../../../../lib/transports/address.js';
import { parseHttpUrl } from '../../../../lib/transports/http-url.js';
import { makePki } from '../../../harness/pki.js';
import { ofParts } from '../make.js';
import { readWhole, type Target } from '../target.js';

/** A reader of texts. An input that is no UTF-8 is read as Node reads it, as every caller of these does. */
function textTarget(name: string, corpus: readonly string[], parts: readonly string[], read: (text: string) => unknown): Target {
  return {
    name,
    corpus: corpus.map((text) => Buffer.from(text)),
    make: ofParts(parts),
    whole: true,
    read: ([input]) => readWhole(() => read(String(input))),
  };
}

const JSON_PARTS = ['{', '}', '[', ']', ',', ':', '"', '\\u0000', '"identities"', '"capabilities"', '"file_name"', '"rights"', '"id"'];
const JSON_VALUES = ['null', 'true', '0', '-1', '1e400', '4294967296', '""', '"a"', '[]', '{}', '[[[[', '{"a":', ' ', '\n', '//', 'NaN'];

export const textTargets = (): Target[] => [
  textTarget('policy', [makePki().policy], [...JSON_PARTS, ...JSON_VALUES], readPolicy),
  textTarget(
    'pipeline',
    ['/a.wasm ; /b.wasm', 'if /in/extra { /a ; /b ; } else { /c }', '{ { /a ; } ; }', ''],
    ['if', 'else', '{', '}', ';', ' ', '/a.wasm', '/b', 'stdin', '..', '/../x', '\n', '{'.repeat(70), '/a ; '.repeat(90), '\ud800', '\0'],
    parsePipeline,
  ),
  textTarget(
    'capabilities',
    ['/in/:rw,/out/ : r', 'stdin:r'],
    ['/a', ':', ',', 'r', 'w', 'x', 'rwx', '24582', '99999999999', ' '],
    parseCapabilities,
  ),
  textTarget(
    'address',
    ['tcp://127.0.0.1:80', 'tcp-listen://[::1]:0', 'unix:///run/x.sock', 'serial:///dev/hvc0', 'memory://a'],
    [
      'tcp',
      '-listen',
      '://',
      ':',
      '/',
      '[',
      ']',
      '::1',
      'localhost',
      '65535',
      '65536',
      '-1',
      'unix',
      'serial',
      'memory',
      'x'.repeat(108),
      '\0',
    ],
    (text) => {
      const address = parseAddress(text);
      // What is written must be read again as the same.
      const again = parseAddress(formatAddress(address));
      if (JSON.stringify(again) !== JSON.stringify(address)) throw new Error(`written as ${formatAddress(address)}`);
      return address;
    },
  ),
  textTarget(
    'http-url',
    ['http://host:80/path'],
    ['http', 's', '://', 'user:pw@', 'host', ':80', '/', '?q', '#f', '%zz', '[', ' '],
    (text) => String(parseHttpUrl(text)),
  ),
  textTarget('file-name', ['/input/a.dat', 'stdin'], ['/', 'a', '.', '..', 'stdin', '\0', '\ud800', 'é', 'x'.repeat(250), '//'], (text) => {
    const name = normaliseName(text);
    if (normaliseName(name) !== name) throw new Error('not normal');
    return name;
  }),
];
