import fc from 'fast-check';
import t from 'tap';
import { FileNameError } from '../../lib/core/errors.js';
import {
  type FileOperation,
  fileRightsOf,
  may,
  type Policy,
  type Principal,
  parseRights,
  pinOf,
  RIGHTS,
  readPolicy,
  rightsOf,
} from '../../lib/enclave/policy/index.js';
import { seeded } from '../support/splits.js';
import { changed, HASH, headPolicy } from './policy-support.js';

const ALICE: Principal = { kind: 'identity', id: 0 };

/** A policy in which alice has these rights, and no others. */
function rightsOfAlice(listed: readonly (readonly [string, number])[]): Policy {
  return readPolicy(
    changed((policy) => {
      policy.identities[0].file_rights = listed.map(([file_name, rights]) => ({ file_name, rights }));
    }),
  );
}

void t.test('who has which rights', async (t) => {
  const policy = readPolicy(JSON.stringify(headPolicy()));
  t.equal(rightsOf(policy, { kind: 'identity', id: 0 }, '/program/x'), 537404996);
  t.equal(rightsOf(policy, { kind: 'identity', id: 1 }, '/program/x'), 0);
  t.equal(rightsOf(policy, { kind: 'program', path: '/program/sum.wasm' }, '/output/a'), 550470);
  t.equal(rightsOf(policy, { kind: 'program', path: 'program//sum.wasm' }, '/output/a'), 550470, 'however its path is written');
  t.equal(rightsOf(policy, { kind: 'pipeline', name: '0' }, '/any/file'), 24582);
  const unknown: Principal[] = [
    { kind: 'identity', id: 2 },
    { kind: 'program', path: '/program/other.wasm' },
    { kind: 'program', path: '0' },
    { kind: 'pipeline', name: '/program/sum.wasm' },
    { kind: 'pipeline', name: 'toString' },
  ];
  for (const principal of unknown) {
    t.same(fileRightsOf(policy, principal), []);
    t.equal(rightsOf(policy, principal, '/input/a'), 0, JSON.stringify(principal));
    t.notOk(may(policy, principal, 'read', '/input/a', true));
  }
});

void t.test('the longest listed ancestor counts, alone', async (t) => {
  const policy = rightsOfAlice([
    ['/input/', 1],
    ['/input/raw', 2],
    ['//input//raw//deep/', 4],
    ['stdin', 8],
  ]);
  const expected: [string, number][] = [
    ['/input/a', 1],
    ['input/a', 1],
    ['/input', 1],
    ['/input/raw', 2],
    ['/input/raw/', 2],
    ['/input//raw/b', 2],
    ['/input/raws', 1],
    ['/input/raw/deep/er/still', 4],
    ['/inputs/a', 0],
    ['/inpu', 0],
    ['/other', 0],
    ['stdin', 8],
    ['/stdin', 0],
    ['stdin/', 0],
    ['stdout', 0],
  ];
  for (const [name, rights] of expected) t.equal(rightsOf(policy, ALICE, name), rights, name);
});

void t.test('the root is an ancestor of every file and of no stream', async (t) => {
  const policy = rightsOfAlice([
    ['/', 1],
    ['/a/', 0],
  ]);
  t.equal(rightsOf(policy, ALICE, '/b/c'), 1);
  t.equal(rightsOf(policy, ALICE, '/stdin'), 1);
  t.equal(rightsOf(policy, ALICE, '/a/b'), 0, 'a longer one without rights takes them away');
  t.equal(rightsOf(policy, ALICE, 'stdin'), 0);
});

void t.test('a name that leaves its directory is refused before rights are looked up', async (t) => {
  const policy = rightsOfAlice([['/input/', 0xffffffff]]);
  for (const name of ['/input/../program/x.wasm', '/input/./a', '..', '', '/', '/input/\0', '/input/\ud800']) {
    t.throws(() => rightsOf(policy, ALICE, name), FileNameError, JSON.stringify(name));
    t.throws(() => pinOf(policy, name), FileNameError);
    for (const operation of ['write', 'append', 'read', 'execute'] as const) {
      t.throws(() => may(policy, ALICE, operation, name, true), FileNameError);
    }
  }
});

/** Wire spec §D, "VFS semantics". */
const { PATH_OPEN, PATH_CREATE_FILE, PATH_FILESTAT_SET_SIZE, FD_WRITE, FD_SEEK, FD_READ, FD_EXECUTE } = RIGHTS;
const NEEDED: [FileOperation, boolean, number[]][] = [
  ['write', true, [PATH_OPEN, PATH_FILESTAT_SET_SIZE, FD_WRITE, FD_SEEK]],
  ['write', false, [PATH_OPEN, PATH_FILESTAT_SET_SIZE, FD_WRITE, FD_SEEK, PATH_CREATE_FILE]],
  ['append', true, [PATH_OPEN, FD_WRITE, FD_SEEK]],
  ['append', false, [PATH_OPEN, FD_WRITE, FD_SEEK, PATH_CREATE_FILE]],
  ['read', true, [PATH_OPEN, FD_READ, FD_SEEK]],
  ['read', false, [PATH_OPEN, FD_READ, FD_SEEK]],
  ['execute', true, [PATH_OPEN, FD_EXECUTE]],
  ['execute', false, [PATH_OPEN, FD_EXECUTE]],
];

void t.test('an operation needs its bits, all of them and no others', async (t) => {
  for (const [operation, exists, bits] of NEEDED) {
    const all = bits.reduce((sum, bit) => sum | bit, 0);
    const given = (rights: number) => may(rightsOfAlice([['/input/', rights]]), ALICE, operation, '/input/a', exists);
    const label = `${operation} ${exists ? 'a file' : 'a missing file'}`;
    t.ok(given(all), label);
    t.ok(given(0xffffffff), `${label} with everything`);
    for (const bit of bits) t.notOk(given(all & ~bit), `${label} without bit ${Math.log2(bit)}`);
    t.notOk(given((0xffffffff & ~all) >>> 0), `${label} with everything else`);
  }
});

void t.test('the letters allow what they are for', async (t) => {
  const allowed = (letters: string) => {
    const policy = rightsOfAlice([['/d/', parseRights(letters)]]);
    return (['write', 'append', 'read', 'execute'] as const).filter((operation) => may(policy, ALICE, operation, '/d/f', false));
  };
  t.same(allowed('r'), ['read']);
  t.same(allowed('w'), ['write', 'append']);
  t.same(allowed('x'), ['execute']);
  t.same(allowed('rwx'), ['write', 'append', 'read', 'execute']);
});

void t.test('streams are always there, and stdin is not appended to', async (t) => {
  const bits = PATH_OPEN | PATH_FILESTAT_SET_SIZE | FD_WRITE | FD_SEEK | FD_READ;
  const policy = rightsOfAlice([
    ['stdin', bits],
    ['stdout', bits],
  ]);
  t.ok(may(policy, ALICE, 'write', 'stdin', false), 'nothing needs to be made');
  t.notOk(may(policy, ALICE, 'append', 'stdin', true));
  t.ok(may(policy, ALICE, 'append', 'stdout', true));
  t.ok(may(policy, ALICE, 'read', 'stdout', true));
  t.notOk(may(policy, ALICE, 'read', 'stderr', true));
  t.notOk(may(policy, ALICE, 'read', '/stdout', true));
});

void t.test('pins', async (t) => {
  const policy = readPolicy(
    changed((p) => {
      p.identities[0].file_rights = [{ file_name: '/', rights: 0xffffffff }];
    }),
  );
  for (const name of ['/program/sum.wasm', 'program//sum.wasm', '/program/sum.wasm/']) {
    t.equal(pinOf(policy, name), HASH, name);
    t.notOk(may(policy, ALICE, 'append', name, true), name);
    t.notOk(may(policy, ALICE, 'append', name, false), name);
    t.ok(may(policy, ALICE, 'write', name, true), name);
  }
  t.equal(pinOf(policy, '/program/sum.was'), undefined);
  t.equal(pinOf(policy, '/program'), undefined);
  t.ok(may(policy, ALICE, 'append', '/program/sum.wasm2', true));
});

// ── Properties: against a model that walks up from the name ───────────────────────────────────────────────────────────

const segment = fc.constantFrom('a', 'b', 'ab', 'a.b', 'stdin');
const segments = fc.array(segment, { maxLength: 4 });
const slashes = fc.constantFrom('/', '//');

void t.test('the longest ancestor, by a model; slashes do not matter', async () => {
  const listed = fc.uniqueArray(segments, { maxLength: 6, selector: (path) => path.join('/') });
  fc.assert(
    fc.property(listed, fc.array(segment, { minLength: 1, maxLength: 5 }), slashes, fc.boolean(), (paths, name, slash, trailing) => {
      const written = (path: string[]) => `/${path.join(slash)}${trailing ? slash : ''}`;
      const policy = rightsOfAlice(paths.map((path, index) => [written(path), index + 1]));
      let expected = 0;
      for (let up = name.length; up >= 0 && expected === 0; up--) {
        expected = paths.findIndex((path) => path.join('/') === name.slice(0, up).join('/')) + 1;
      }
      return rightsOf(policy, ALICE, written(name)) === expected;
    }),
    seeded(1000),
  );
});

void t.test('more rights never forbid, and what is refused for a file that is there is refused for a missing one', async () => {
  const base = rightsOfAlice([['/d/', 0]]);
  const given = (rights: number): Policy => ({
    ...base,
    identities: base.identities.map((identity) => ({ ...identity, file_rights: [{ file_name: '/d', rights }] })),
  });
  const u32 = fc.nat(0xffffffff);
  fc.assert(
    fc.property(u32, u32, fc.constantFrom('write', 'append', 'read', 'execute'), fc.boolean(), (rights, more, operation, exists) => {
      const before = may(given(rights), ALICE, operation, '/d/f', exists);
      const after = may(given((rights | more) >>> 0), ALICE, operation, '/d/f', exists);
      const missing = may(given(rights), ALICE, operation, '/d/f', false);
      return (!before || after) && (!missing || may(given(rights), ALICE, operation, '/d/f', true));
    }),
    seeded(5000),
  );
});
