import fc from 'fast-check';
import t from 'tap';
import { InvalidArgumentError } from '../../lib/core/errors.js';
import { formatRights, parseCapabilities, parseRights, RIGHT_LETTERS, RIGHTS, rightNames } from '../../lib/enclave/policy/index.js';
import { seeded } from '../support/splits.js';

void t.test('the bits are those of wire spec §E', async (t) => {
  t.equal(Object.keys(RIGHTS).length, 30);
  t.equal(new Set(Object.values(RIGHTS)).size, 30);
  const { FD_DATASYNC, FD_READ, FD_SEEK, FD_WRITE, PATH_CREATE_FILE, PATH_OPEN, PATH_FILESTAT_SET_SIZE, FD_FILESTAT_GET } = RIGHTS;
  t.same([FD_DATASYNC, FD_READ, FD_SEEK, FD_WRITE], [1, 2, 4, 64]);
  t.same([PATH_CREATE_FILE, PATH_OPEN, PATH_FILESTAT_SET_SIZE, FD_FILESTAT_GET], [2 ** 10, 2 ** 13, 2 ** 19, 2 ** 21]);
  t.same([RIGHTS.SOCK_SHUTDOWN, RIGHTS.FD_EXECUTE], [2 ** 28, 2 ** 29]);
});

/** Wire spec §E. */
const SHORTHANDS = { r: 24582, w: 534084, rw: 550470, x: 536879104, wx: 537404996, rx: 536895494, rwx: 537421382 };

void t.test('the letters, in every order', async (t) => {
  for (const [letters, rights] of Object.entries(SHORTHANDS)) {
    t.equal(parseRights(letters), rights, letters);
    t.equal(parseRights([...letters].reverse().join('')), rights);
    t.equal(formatRights(rights), letters);
  }
  t.same(RIGHT_LETTERS, { r: 24582, w: 534084, x: 536879104 });
});

void t.test('numbers', async (t) => {
  for (const number of [0, 1, 4294967295]) t.equal(parseRights(String(number)), number);
  t.equal(formatRights(0), '0');
  t.equal(formatRights(24583), '24583', 'one bit more than r');
  for (const text of ['', 'rr', 'rwr', 'rwxr', 'R', 'a', 'r w', '-1', '+1', '1.0', '1e3', '0x1', '4294967296', '99999999999', 'r1']) {
    t.throws(() => parseRights(text), InvalidArgumentError, text);
  }
});

void t.test('names of rights', async (t) => {
  t.same(rightNames(24582), ['FD_READ', 'FD_SEEK', 'PATH_OPEN', 'FD_READDIR']);
  t.same(rightNames(0), []);
  t.same(rightNames(2 ** 31 + 2 ** 30 + 1), ['FD_DATASYNC'], 'bits without a name are left out');
  t.equal(rightNames(0xffffffff).length, 30);
});

void t.test('what is written is read back', async () => {
  const rights = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(...Object.values(SHORTHANDS)));
  fc.assert(
    fc.property(rights, (number) => parseRights(formatRights(number)) === number),
    seeded(2000),
  );
});

void t.test('capabilities', async (t) => {
  t.same(parseCapabilities('/input/:rw,/output/:r,stdin:64'), [
    { file_name: '/input/', rights: SHORTHANDS.rw },
    { file_name: '/output/', rights: SHORTHANDS.r },
    { file_name: 'stdin', rights: 64 },
  ]);
  t.same(parseCapabilities('/a:b/:x'), [{ file_name: '/a:b/', rights: SHORTHANDS.x }], 'the last colon counts');
  t.same(
    parseCapabilities('/in put/ : rw ,\t/output/ : 24582, stdin : r'),
    [
      { file_name: '/in put/', rights: SHORTHANDS.rw },
      { file_name: '/output/', rights: SHORTHANDS.r },
      { file_name: 'stdin', rights: SHORTHANDS.r },
    ],
    'blanks around a name and its rights do not count',
  );
  t.same(parseCapabilities(''), []);
  for (const text of [' ', ' : r', '/a : r w', '/a : r, ', '/input/', ':r', '/a:', '/a:r,', ',/a:r', '/a:q'])
    t.throws(() => parseCapabilities(text), InvalidArgumentError, text);
});
