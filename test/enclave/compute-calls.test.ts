import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { ERRNO, FDFLAG_APPEND, OFLAG, RIGHT, WRITE_RIGHTS } from '../../lib/enclave/compute/child/preview1.js';
import { RightsTable } from '../../lib/enclave/compute/child/rights-table.js';
import { rightsOf } from '../../lib/enclave/policy/index.js';
import { includes, RIGHTS, type RightName } from '../../lib/enclave/policy/rights.js';
import '../support/long.js';
import { seeded } from '../support/splits.js';
import { ANSWER_AT, type Guest, withGuest } from './compute-guest.js';
import { CALL_NAMES, PROGRAM, policyWith, SIGNATURES } from './compute-support.js';

const { SUCCESS, ACCES, BADF, BUSY, FAULT, ILSEQ, INVAL, ISDIR, NAMETOOLONG, NOSPC, NOSYS, NOTCAPABLE, NOTDIR, NOTSOCK } = ERRNO;
const EXIST = 20;
const NOENT = 44;
const ALL = 2 ** 30 - 1;

void t.test('rights are the bits of the policy', async (t) => {
  for (const [name, bit] of Object.entries(RIGHT)) t.equal(bit, RIGHTS[name as RightName], name);
});

// ── Every call, with every right that it needs and without each ──────────────────────────────────────────────────────

const bits = (...names: RightName[]): number => names.reduce((sum, name) => sum | RIGHTS[name], 0);
/** What changes a file needs what writing it from outside does (wire spec §D). */
const WRITING: RightName[] = ['PATH_OPEN', 'PATH_FILESTAT_SET_SIZE', 'FD_WRITE', 'FD_SEEK'];

interface Operation {
  readonly needs: readonly RightName[];
  /** Answers an errno; `dir` holds `f` and `sub`, and has the rights that are tried. */
  readonly act: (guest: Guest) => number;
}

/** Opens `dir/f` with what is needed of it, and goes on; what opening answers comes first. */
const opened = (needs: readonly RightName[], act: (guest: Guest, fd: number) => number, path = 'dir/f'): Operation => ({
  needs: [...new Set<RightName>(['PATH_OPEN', ...needs])],
  act: (guest) => {
    const fd = guest.open(path, path === 'dir/f' ? bits(...needs) : 0);
    return fd < 0 ? -fd : act(guest, fd);
  },
});

const OPERATIONS: Readonly<Record<string, Operation>> = {
  fd_allocate: opened(['FD_ALLOCATE', ...WRITING], ({ calls }, fd) => calls.fd_allocate(fd, 0n, 1n)),
  fd_advise: opened(['FD_ADVISE'], ({ calls }, fd) => calls.fd_advise(fd, 0n, 0n, 0)),
  fd_datasync: opened(['FD_DATASYNC'], ({ calls }, fd) => calls.fd_datasync(fd)),
  fd_fdstat_set_flags: opened(['FD_FDSTAT_SET_FLAGS'], ({ calls }, fd) => calls.fd_fdstat_set_flags(fd, 1)),
  fd_filestat_get: opened(['FD_FILESTAT_GET'], ({ calls }, fd) => calls.fd_filestat_get(fd, ANSWER_AT)),
  fd_filestat_set_size: opened(['FD_FILESTAT_SET_SIZE', ...WRITING], ({ calls }, fd) => calls.fd_filestat_set_size(fd, 1n)),
  fd_filestat_set_times: opened(['FD_FILESTAT_SET_TIMES', ...WRITING], ({ calls }, fd) => calls.fd_filestat_set_times(fd, 1n, 1n, 5)),
  fd_pread: opened(['FD_READ', 'FD_SEEK'], (guest, fd) => guest.calls.fd_pread(fd, ...guest.vector(3), 0n, ANSWER_AT)),
  fd_pwrite: opened(WRITING, (guest, fd) => guest.calls.fd_pwrite(fd, ...guest.vector(3), 0n, ANSWER_AT)),
  fd_read: opened(['FD_READ'], (guest, fd) => guest.calls.fd_read(fd, ...guest.vector(3), ANSWER_AT)),
  fd_readdir: opened(['FD_READDIR'], ({ calls }, fd) => calls.fd_readdir(fd, ANSWER_AT, 100, 0n, ANSWER_AT + 100), 'dir'),
  fd_seek: opened(['FD_SEEK'], ({ calls }, fd) => calls.fd_seek(fd, 0n, 0, ANSWER_AT)),
  fd_sync: opened(['FD_SYNC'], ({ calls }, fd) => calls.fd_sync(fd)),
  fd_tell: opened(['FD_TELL'], ({ calls }, fd) => calls.fd_tell(fd, ANSWER_AT)),
  fd_write: opened(WRITING, (guest, fd) => guest.write(fd, 'new')),
  'path_open to append': opened(WRITING, (guest) => Math.max(0, -guest.open('dir/f', RIGHT.FD_WRITE, 0, 1))),
  path_create_directory: {
    needs: ['PATH_CREATE_DIRECTORY'],
    act: (guest) => guest.calls.path_create_directory(3, ...guest.text('dir/new')),
  },
  path_filestat_get: {
    needs: ['PATH_FILESTAT_GET'],
    act: (guest) => guest.calls.path_filestat_get(3, 0, ...guest.text('dir/f'), ANSWER_AT),
  },
  path_filestat_set_times: {
    needs: ['PATH_FILESTAT_SET_TIMES', ...WRITING],
    act: (guest) => guest.calls.path_filestat_set_times(3, 0, ...guest.text('dir/f'), 1n, 1n, 5),
  },
  path_open: { needs: ['PATH_OPEN'], act: (guest) => Math.max(0, -guest.open('dir/f', 0)) },
  'path_open of a directory': { needs: ['PATH_OPEN'], act: (guest) => Math.max(0, -guest.open('dir/sub', 0, OFLAG.DIRECTORY)) },
  'path_open to make': {
    needs: ['PATH_CREATE_FILE', ...WRITING],
    act: (guest) => Math.max(0, -guest.open('dir/new', RIGHT.FD_WRITE, OFLAG.CREAT)),
  },
  'path_open to empty': { needs: WRITING, act: (guest) => Math.max(0, -guest.open('dir/f', 0, OFLAG.TRUNC)) },
  path_remove_directory: {
    needs: ['PATH_REMOVE_DIRECTORY'],
    act: (guest) => guest.calls.path_remove_directory(3, ...guest.text('dir/sub')),
  },
  'path_rename from there': {
    needs: ['PATH_RENAME_SOURCE'],
    act: (guest) => guest.calls.path_rename(3, ...guest.text('dir/f'), 3, ...guest.text('free/g', 2000)),
  },
  'path_rename to there': {
    needs: ['PATH_RENAME_TARGET', 'PATH_CREATE_FILE', ...WRITING],
    act: (guest) => guest.calls.path_rename(3, ...guest.text('free/f'), 3, ...guest.text('dir/new', 2000)),
  },
  'path_rename over what is there': {
    needs: ['PATH_RENAME_TARGET', ...WRITING],
    act: (guest) => guest.calls.path_rename(3, ...guest.text('free/f'), 3, ...guest.text('dir/f', 2000)),
  },
  path_unlink_file: { needs: ['PATH_UNLINK_FILE'], act: (guest) => guest.calls.path_unlink_file(3, ...guest.text('dir/f')) },
  poll_oneoff: opened(['POLL_FD_READWRITE', 'FD_READ'], (guest, fd) => {
    guest.memory.fill(0, 2000, 2048);
    guest.memory.writeUInt8(1, 2008);
    guest.memory.writeUInt32LE(fd, 2016);
    return guest.calls.poll_oneoff(2000, 3000, 1, ANSWER_AT);
  }),
};

/** What is in the world, as far as a call can change it. */
const state = ({ world }: Guest): string =>
  JSON.stringify(
    ['dir/f', 'dir/new', 'dir/sub', 'free/f', 'free/g'].map((name) => {
      const path = join(world, name);
      if (!existsSync(path)) return null;
      const stats = statSync(path);
      return stats.isFile() ? [readFileSync(path, 'utf8'), stats.mtimeMs] : 'directory';
    }),
  );

function trial(operation: Operation, rights: number): { errno: number; changed: boolean } {
  const files = { '/dir/f': 'content', '/free/f': 'free' };
  const free = bits('PATH_RENAME_SOURCE', 'PATH_RENAME_TARGET', 'PATH_CREATE_FILE', ...WRITING);
  return withGuest(
    {
      rights: [
        ['/dir', rights],
        ['/free', free],
      ],
      files,
      directories: ['/dir/sub'],
    },
    (guest) => {
      const before = state(guest);
      return { errno: operation.act(guest), changed: state(guest) !== before };
    },
  );
}

void t.test('a call needs its rights, all of them, and no other', async (t) => {
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    const needed = bits(...operation.needs);
    t.equal(trial(operation, needed).errno, SUCCESS, `${name}: with what it needs`);
    t.equal(trial(operation, ALL).errno, SUCCESS, `${name}: with all`);
    t.same(trial(operation, ALL & ~needed), { errno: ACCES, changed: false }, `${name}: with all that it does not need`);
    for (const missing of operation.needs) {
      // Who may seek may tell.
      const others = name === 'fd_tell' && missing === 'FD_TELL' ? ALL & ~RIGHTS.FD_SEEK : ALL;
      t.same(trial(operation, others & ~RIGHTS[missing]), { errno: ACCES, changed: false }, `${name}: without ${missing}`);
    }
  }
});

void t.test('a call with any rights at all', async () => {
  const names = Object.keys(OPERATIONS);
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.nat(ALL), (name, rights) => {
      const operation = OPERATIONS[name] as Operation;
      const tells = name === 'fd_tell' && includes(rights, bits('PATH_OPEN', 'FD_SEEK'));
      const expected = includes(rights, bits(...operation.needs)) || tells;
      const { errno, changed } = trial(operation, rights);
      // For fd_tell a descriptor is opened with the right to tell alone.
      if (tells && !includes(rights, RIGHTS.FD_TELL)) return errno === ACCES || errno === SUCCESS;
      return expected ? errno === SUCCESS : errno === ACCES && !changed;
    }),
    seeded(400),
  );
});

void t.test('what no right gives', async (t) => {
  withGuest({ rights: [['/', ALL]], files: { '/f': 'x' }, clock: true }, (guest) => {
    const { calls } = guest;
    const fd = guest.open('f', ALL);
    t.equal(calls.path_link(3, 0, ...guest.text('f'), 3, ...guest.text('g', 2000)), NOSYS);
    t.equal(calls.path_symlink(...guest.text('f'), 3, ...guest.text('g', 2000)), NOSYS);
    t.equal(calls.path_readlink(3, ...guest.text('f'), ANSWER_AT, 100, ANSWER_AT), NOSYS);
    t.equal(calls.proc_raise(9), NOSYS);
    for (const [number, errno] of [
      [fd, NOTSOCK],
      [3, NOTSOCK],
      [99, BADF],
    ] as const) {
      t.equal(calls.sock_accept(number, 0, ANSWER_AT), errno);
      t.equal(calls.sock_recv(number, ...guest.vector(1), 0, ANSWER_AT, ANSWER_AT), errno);
      t.equal(calls.sock_send(number, ...guest.vector(1), 0, ANSWER_AT), errno);
      t.equal(calls.sock_shutdown(number, 0), errno);
    }
    t.equal(guest.list(3)?.toString(), 'f');
  });
});

// ── Paths ────────────────────────────────────────────────────────────────────────────────────────────────────────────

void t.test('paths that lead out, and paths that only look so', async (t) => {
  withGuest({ rights: [['/', ALL]], files: { '/d/f': 'x', '/.../f': 'x', '/d/..f': 'x' } }, (guest) => {
    const refused: [string | Buffer, number][] = [
      ['/', NOTCAPABLE],
      ['/d/f', NOTCAPABLE],
      ['//d/f', NOTCAPABLE],
      ['..', NOTCAPABLE],
      ['../../../../etc/passwd', NOTCAPABLE],
      ['d/../../d/f', NOTCAPABLE],
      ['d/f/../../../world', NOTCAPABLE],
      ['./d/./../.././d/f', NOTCAPABLE],
      ['...//../../d/f', NOTCAPABLE],
      ['', INVAL],
      ['d/f\0', INVAL],
      ['d/f\0/../../..', INVAL],
      ['\0', INVAL],
      [Buffer.from([0xff]), ILSEQ],
      [Buffer.from('d/\u00e9', 'latin1'), ILSEQ],
      [Buffer.from([0xed, 0xa0, 0x80]), ILSEQ],
      [Buffer.from([0xc0, 0xae, 0xc0, 0xae]), ILSEQ],
      ['n'.repeat(256), NAMETOOLONG],
      [`d/${'n/'.repeat(2050)}`, NAMETOOLONG],
      ['d/f/', NOTDIR],
      ['none', NOENT],
      ['none/f', NOENT],
    ];
    for (const [path, errno] of refused) {
      const what = JSON.stringify(String(path).slice(0, 40));
      const [at, bytes] = guest.text(path, 80_000);
      t.equal(guest.calls.path_open(3, 0, at, bytes, 0, 2n, 0n, 0, ANSWER_AT), errno, what);
      if (errno === NOTDIR || errno === NOENT) continue;
      t.equal(guest.calls.path_open(3, 0, at, bytes, OFLAG.CREAT, 66n, 0n, 0, ANSWER_AT), errno, `${what}: not made`);
      t.equal(guest.calls.path_unlink_file(3, at, bytes), errno, `${what}: not removed`);
      t.equal(guest.calls.path_create_directory(3, at, bytes), errno, `${what}: no directory`);
      t.equal(guest.calls.path_filestat_get(3, 0, at, bytes, ANSWER_AT), errno, `${what}: not looked at`);
      t.equal(guest.calls.path_rename(3, at, bytes, 3, ...guest.text('g')), errno, `${what}: not renamed`);
      t.equal(guest.calls.path_rename(3, ...guest.text('d/f'), 3, at, bytes), errno, `${what}: nothing renamed to it`);
    }
    for (const path of ['d/f', 'd//f', './d/f', 'd/./f', './/./d/////f', '.../f', 'd/..f', 'd/../d/f', './d/../.../.././d//f'])
      t.ok(guest.open(path, 2) > 3, path);
    t.same(guest.list(3), ['...', 'd'], 'nothing was made');
  });
});

void t.test('the longest listed ancestor counts, whatever directory a path starts from', async (t) => {
  const read = bits('PATH_OPEN', 'FD_READ');
  const rights: [string, number][] = [
    ['/', read],
    ['/d', 0],
    ['/d/open', read],
    ['/d/open/shut', 0],
    ['/d/open/shut/f', read],
  ];
  const files = { '/f': '1', '/d/f': '2', '/d/open/f': '3', '/d/open/shut/f': '4', '/d/open/shut/g': '5', '/dd/f': '6' };
  withGuest({ rights, files, directories: ['/d', '/d/open', '/d/open/shut'] }, (guest) => {
    const reads = (path: string, from: number) => {
      const fd = guest.open(path, 2, 0, 0, from);
      return fd < 0 ? fd : guest.read(fd);
    };
    const expected: [path: string, answer: string | number][] = [
      ['/f', '1'],
      ['/d/f', -ACCES],
      ['/d/open/f', '3'],
      ['/d/open/shut/f', '4'],
      ['/d/open/shut/g', -ACCES],
      ['/dd/f', '6'],
      ['/d/open/shut/none', -ACCES],
    ];
    for (const [from, top] of [
      [3, '/'],
      [4, '/d/'],
      [5, '/d/open/'],
      [6, '/d/open/shut/'],
    ] as const) {
      for (const [path, answer] of expected)
        if (path.startsWith(top)) t.equal(reads(path.slice(top.length), from), answer, `${path} from ${top}`);
    }
    const own = guest.open('d/open', 0, OFLAG.DIRECTORY);
    t.equal(reads('f', own), '3', 'from a directory that it opened itself');
    t.equal(reads('shut/g', own), -ACCES);
    t.equal(guest.open('d', 0, OFLAG.DIRECTORY), -ACCES);
  });
});

void t.test('with .. the rights of what is reached count, and nobody leaves a directory that he was given', async (t) => {
  const read = bits('PATH_OPEN', 'FD_READ');
  const rights: [string, number][] = [
    ['/open', read],
    ['/shut', 0],
  ];
  withGuest({ rights, files: { '/open/f': '1', '/shut/f': '2' }, directories: ['/open'] }, (guest) => {
    t.equal(guest.read(guest.open('shut/../open/f', 2)), '1');
    t.equal(guest.open('open/../shut/f', 2), -ACCES);
    t.equal(guest.open('../open/f', 2, 0, 0, 4), -NOTCAPABLE);
    t.equal(guest.open('../shut/f', 2, 0, 0, 4), -NOTCAPABLE);
    t.equal(guest.read(guest.open('x/../f', 2, 0, 0, 4)), '1');
  });
});

void t.test('names that differ in their Unicode form only are different names', async (t) => {
  const read = bits('PATH_OPEN', 'FD_READ');
  withGuest({ rights: [['/\u00e9', read]], files: { '/\u00e9/f': 'x', '/e\u0301/f': 'y' } }, (guest) => {
    t.ok(guest.open('\u00e9/f', 2) > 3);
    t.equal(guest.open('e\u0301/f', 2), -ACCES);
  });
});

void t.test('the table of rights says what the policy says', async () => {
  const segments = fc.array(fc.constantFrom('a', 'b', 'aa', 'é'), { maxLength: 4 });
  const name = fc.oneof(
    segments.map((all) => `/${all.join('/')}`),
    fc.constantFrom('stdin', 'stdout', '/stdin'),
  );
  const lists = fc.uniqueArray(fc.tuple(name, fc.nat(2 ** 29 - 1)), { selector: ([one]) => one, maxLength: 6 });
  fc.assert(
    fc.property(lists, fc.array(name, { maxLength: 10 }), (list, asked) => {
      const policy = policyWith(Object.fromEntries(list));
      const table = new RightsTable(list);
      return asked.every((one) => {
        const said = one === '/' ? (Object.fromEntries(list)['/'] ?? 0) : rightsOf(policy, { kind: 'program', path: PROGRAM }, one);
        const writes = includes(said, WRITE_RIGHTS);
        return writes ? table.of(one) === said : includes(said, table.of(one)) && !includes(table.of(one), RIGHTS.FD_WRITE);
      });
    }),
    seeded(300),
  );
});

// ── Descriptors ──────────────────────────────────────────────────────────────────────────────────────────────────────

void t.test('a file is opened with what is asked for and allowed, and refused where that is neither reading nor writing', async (t) => {
  const read = bits('PATH_OPEN', 'FD_READ', 'FD_SEEK');
  const write = bits('PATH_CREATE_FILE', ...WRITING);
  withGuest(
    {
      rights: [
        ['/r', read],
        ['/w', write],
      ],
      files: { '/r/f': 'read', '/w/f': 'write' },
    },
    (guest) => {
      const stat = (fd: number) => {
        t.equal(guest.calls.fd_fdstat_get(fd, ANSWER_AT), SUCCESS);
        return [guest.memory.readBigUInt64LE(ANSWER_AT + 8), guest.memory.readBigUInt64LE(ANSWER_AT + 16)];
      };
      for (const asked of [-1n, 2n ** 64n - 1n, BigInt(ALL), 2n | 64n]) {
        const fd = guest.open('r/f', asked);
        t.equal(guest.read(fd), 'read');
        t.equal(guest.write(fd, 'x'), ACCES);
        t.same(stat(fd), [BigInt(read) & asked & BigInt(2 ** 29 - 1), 0n], 'and the program is told so');
        const other = guest.open('w/f', asked);
        t.equal(guest.read(other), ACCES);
        t.equal(guest.write(other, 'x'), SUCCESS);
      }
      t.equal(guest.open('r/f', RIGHT.FD_WRITE), -ACCES);
      t.equal(guest.open('w/f', RIGHT.FD_READ), -ACCES);
      t.equal(guest.open('r/f', RIGHT.FD_READ, OFLAG.TRUNC), -ACCES, 'to read is no excuse to empty');
      t.equal(readFileSync(join(guest.world, 'r/f'), 'utf8'), 'read');
      t.ok(guest.open('r/f', RIGHT.FD_READ, OFLAG.CREAT) > 3, 'what is there need not be made');
      t.equal(guest.open('r/new', RIGHT.FD_READ, OFLAG.CREAT), -ACCES);
      t.equal(guest.open('w/f', RIGHT.FD_WRITE, OFLAG.CREAT | OFLAG.EXCL), -EXIST);
      t.equal(guest.open('w/new', 0, OFLAG.CREAT | OFLAG.DIRECTORY), -INVAL);
      t.equal(guest.open('w', RIGHT.FD_WRITE), -ISDIR);
      t.equal(guest.open('w', 0, OFLAG.TRUNC), -ISDIR);
    },
  );
});

void t.test('rights of a descriptor can be given up, not gained', async (t) => {
  withGuest({ rights: [['/', ALL]], files: { '/f': 'text' } }, (guest) => {
    const { calls } = guest;
    const fd = guest.open('f', RIGHT.FD_READ | RIGHT.FD_SEEK);
    for (const more of [RIGHT.FD_WRITE, RIGHT.FD_TELL, ALL])
      t.equal(calls.fd_fdstat_set_rights(fd, BigInt(RIGHT.FD_READ | more), 0n), NOTCAPABLE);
    t.equal(calls.fd_fdstat_set_rights(fd, BigInt(RIGHT.FD_READ), BigInt(RIGHT.FD_READ)), NOTCAPABLE);
    t.equal(calls.fd_fdstat_set_rights(fd, BigInt(RIGHT.FD_SEEK), 0n), SUCCESS);
    t.equal(guest.read(fd), NOTCAPABLE);
    t.equal(guest.write(fd, 'x'), ACCES, 'what it never had is another matter');
    t.equal(calls.fd_fdstat_set_rights(fd, BigInt(RIGHT.FD_READ), 0n), NOTCAPABLE, 'for good');
  });
});

void t.test('descriptors that move and close', async (t) => {
  withGuest({ rights: [['/', ALL]], files: { '/f': 'f', '/g': 'g' }, directories: ['/d'] }, (guest) => {
    const { calls } = guest;
    const readOnly = guest.open('f', RIGHT.FD_READ);
    const both = guest.open('g', RIGHT.FD_READ | RIGHT.FD_WRITE);
    t.equal(calls.fd_renumber(readOnly, both), SUCCESS);
    t.equal(guest.write(both, 'x'), ACCES, 'rights move with it');
    t.equal(guest.read(both), 'f');
    t.equal(guest.read(readOnly), BADF);
    t.equal(calls.fd_renumber(both, both), SUCCESS);
    t.equal(guest.read(both), '');
    t.equal(calls.fd_renumber(both, 77), BADF);
    t.equal(calls.fd_close(both), SUCCESS);
    t.equal(calls.fd_close(both), BADF);
    t.equal(calls.fd_close(4), SUCCESS, 'a directory that was open from the start');
    t.equal(guest.open('f', 2, 0, 0, 4), -BADF);
    const again = guest.open('f', RIGHT.FD_WRITE);
    t.equal(guest.read(again), ACCES, 'a number that is used again has rights of its own');
    t.equal(calls.path_open(again, 0, ...guest.text('f'), 0, 2n, 0n, 0, ANSWER_AT), NOTDIR);
    for (const fd of [99, -1, 2 ** 31, 2 ** 32 - 1]) t.equal(guest.read(fd), BADF);
  });
});

void t.test('streams move as files do', async (t) => {
  for (const stream of [0, 1, 2]) {
    withGuest({ rights: [['/', ALL]], files: { '/f': 'f' } }, (guest) => {
      const { calls } = guest;
      const file = guest.open('f', RIGHT.FD_READ);
      t.equal(calls.fd_renumber(stream, file), SUCCESS);
      t.equal(calls.fd_fdstat_get(stream, ANSWER_AT), BADF);
      t.equal(calls.fd_fdstat_get(file, ANSWER_AT), SUCCESS);
      const next = guest.open('f', RIGHT.FD_READ);
      t.equal(next, stream, 'its number is free');
      t.equal(guest.read(next), 'f');
    });
    withGuest({ rights: [['/', ALL]], files: { '/f': 'f' } }, (guest) => {
      t.equal(guest.calls.fd_renumber(guest.open('f', RIGHT.FD_READ), stream), SUCCESS);
      t.equal(guest.read(stream), 'f');
    });
  }
});

void t.test('a descriptor outlives the name', async (t) => {
  withGuest({ rights: [['/', ALL]], files: { '/f': 'old' } }, (guest) => {
    const fd = guest.open('f', RIGHT.FD_READ | RIGHT.FD_WRITE);
    t.equal(guest.calls.path_unlink_file(3, ...guest.text('f')), SUCCESS);
    t.equal(guest.read(fd), 'old');
    t.equal(guest.write(fd, 'x'), SUCCESS);
    t.notOk(existsSync(join(guest.world, 'f')));
  });
});

void t.test('directories', async (t) => {
  withGuest(
    {
      rights: [
        ['/', ALL],
        ['/d/listed', ALL],
        ['/file', ALL],
      ],
      files: { '/d/sub/f': 'x', '/file': 'x' },
      directories: ['/d/listed'],
    },
    (guest) => {
      const { calls } = guest;
      const remove = (path: string) => calls.path_remove_directory(3, ...guest.text(path));
      t.equal(remove('d/listed'), BUSY, 'what the policy lists stays');
      t.equal(remove('.'), BUSY);
      t.equal(remove('d/sub'), 55, 'not empty');
      t.equal(remove('file'), BUSY);
      t.equal(calls.path_rename(3, ...guest.text('d/sub'), 3, ...guest.text('d/other', 2000)), SUCCESS);
      t.equal(calls.path_rename(3, ...guest.text('d/other'), 3, ...guest.text('d/sub', 2000)), SUCCESS, 'and back');
      t.equal(calls.path_rename(3, ...guest.text('d/sub/f'), 3, ...guest.text('d/g', 2000)), SUCCESS);
      t.equal(remove('d/sub'), SUCCESS);
      t.not(calls.path_unlink_file(3, ...guest.text('d/listed')), SUCCESS);
      t.same(guest.list(guest.open('d', 0, OFLAG.DIRECTORY)), ['g', 'listed']);
      t.equal(guest.read(3), NOTCAPABLE, 'a directory has no bytes');
    },
  );
});

void t.test('a directory is not renamed to where its names would be too long', async (t) => {
  const deep = (letter: string) => `${`${letter.repeat(200)}/`.repeat(10)}f`;
  const files = { [`/a/${deep('x')}`]: 'x', [`/b/${deep('y')}`]: 'x' };
  withGuest({ rights: [['/', ALL]], files }, (guest) => {
    const rename = (to: string) => guest.calls.path_rename(3, ...guest.text('a'), 3, ...guest.text(to, 2000));
    t.equal(rename(`b/${deep('y').slice(0, -1)}m`), NAMETOOLONG);
    t.equal(rename('b/m'), SUCCESS);
    t.same(guest.list(3), ['b']);
  });
});

void t.test('streams', async (t) => {
  const read = bits('PATH_OPEN', 'FD_READ', 'FD_SEEK');
  const write = bits(...WRITING);
  withGuest(
    {
      rights: [
        ['stdin', read],
        ['stdout', write],
      ],
    },
    (guest) => {
      t.equal(guest.read(0), '');
      t.equal(guest.write(0, 'x'), ACCES);
      t.equal(guest.write(1, 'out'), SUCCESS);
      t.equal(guest.read(1), ACCES);
      t.equal(guest.write(2, 'err'), ACCES, 'no right, no stream');
      t.equal(readFileSync(join(guest.folder, 'stdout'), 'utf8'), 'out');
      t.equal(readFileSync(join(guest.folder, 'stderr'), 'utf8'), '');
    },
  );
  withGuest({ rights: [['/', ALL]] }, (guest) => {
    t.equal(guest.read(0), '', 'rights on files are none on streams; nothing is there to be read');
    t.equal(guest.write(1, 'x'), ACCES);
  });
  withGuest({ rights: [['stdout', RIGHT.FD_WRITE]] }, (guest) => {
    t.equal(guest.write(1, 'x'), ACCES, 'a right to write that would not suffice outside');
  });
});

void t.test('every bit of a u32 as rights', async (t) => {
  const rights = ['/', 'stdin', 'stdout', 'stderr'].map((name) => [name, 0xffff_ffff] as const);
  withGuest({ rights }, ({ calls, memory }) => {
    for (const fd of [0, 1, 2]) {
      t.equal(calls.fd_fdstat_get(fd, ANSWER_AT), SUCCESS);
      t.equal(memory.readBigUInt64LE(ANSWER_AT + 8) >> 30n, 0n, 'no bit that is no right');
    }
  });
});

void t.test('arguments and environment', async (t) => {
  withGuest({ rights: [] }, ({ calls, memory }) => {
    t.equal(calls.args_sizes_get(ANSWER_AT, ANSWER_AT + 4), SUCCESS);
    t.same([memory.readUInt32LE(ANSWER_AT), memory.readUInt32LE(ANSWER_AT + 4)], [1, '/program/test.wasm'.length + 1]);
    t.equal(calls.environ_sizes_get(ANSWER_AT, ANSWER_AT + 4), SUCCESS);
    t.same([memory.readUInt32LE(ANSWER_AT), memory.readUInt32LE(ANSWER_AT + 4)], [1, 'LANG=C'.length + 1]);
    t.equal(calls.environ_get(ANSWER_AT, ANSWER_AT + 64), SUCCESS);
    t.equal(memory.readUInt32LE(ANSWER_AT), ANSWER_AT + 64);
    t.equal(memory.toString('latin1', ANSWER_AT + 64, ANSWER_AT + 71), 'LANG=C\0');
    t.equal(calls.random_get(ANSWER_AT, 32), SUCCESS);
    t.notSame(memory.subarray(ANSWER_AT + 8, ANSWER_AT + 32), Buffer.alloc(24));
    t.equal(calls.sched_yield(), SUCCESS);
  });
});

// ── Limits ───────────────────────────────────────────────────────────────────────────────────────────────────────────

void t.test('bytes that may be written: at the limit and one over', async (t) => {
  const inAllWays: Record<string, (guest: Guest, fd: number, bytes: number) => number> = {
    fd_write: (guest, fd, bytes) => guest.calls.fd_write(fd, ...guest.vector(bytes), ANSWER_AT),
    fd_pwrite: (guest, fd, bytes) => guest.calls.fd_pwrite(fd, ...guest.vector(bytes), 0n, ANSWER_AT),
    fd_filestat_set_size: ({ calls }, fd, bytes) => calls.fd_filestat_set_size(fd, BigInt(bytes)),
    'fd_filestat_set_size of what is open to append': ({ calls }, fd, bytes) => {
      calls.fd_fdstat_set_flags(fd, FDFLAG_APPEND);
      return calls.fd_filestat_set_size(fd, BigInt(bytes));
    },
    'a hole by fd_pwrite': (guest, fd, bytes) => guest.calls.fd_pwrite(fd, ...guest.vector(1), BigInt(bytes - 1), ANSWER_AT),
    'a hole by fd_seek': (guest, fd, bytes) => {
      guest.calls.fd_seek(fd, BigInt(bytes - 1), 0, ANSWER_AT);
      return guest.calls.fd_write(fd, ...guest.vector(1), ANSWER_AT);
    },
  };
  for (const [name, write] of Object.entries(inAllWays)) {
    withGuest({ rights: [['/', ALL]], maxBytes: 1000 }, (guest) => {
      t.equal(write(guest, guest.open('f', ALL, OFLAG.CREAT), 1001), NOSPC, `${name}: one over`);
      t.equal(statSync(join(guest.world, 'f')).size, 0, 'nothing of it is written');
      t.equal(write(guest, guest.open('g', ALL, OFLAG.CREAT), 1000), SUCCESS, `${name}: the limit`);
      t.equal(statSync(join(guest.world, 'g')).size, 1000);
      t.equal(write(guest, guest.open('h', ALL, OFLAG.CREAT), 1), NOSPC, `${name}: nothing is left`);
    });
  }
});

void t.test('the limit is for all that is written in a run', async (t) => {
  withGuest(
    {
      rights: [
        ['/', ALL],
        ['stdout', ALL],
      ],
      maxBytes: 1000,
    },
    (guest) => {
      const { calls } = guest;
      const fd = guest.open('f', ALL, OFLAG.CREAT);
      const write = (to: number, bytes: number) => calls.fd_write(to, ...guest.vector(bytes), ANSWER_AT);
      t.equal(write(fd, 400), SUCCESS);
      t.equal(write(1, 400), SUCCESS, 'a stream counts');
      t.equal(calls.fd_filestat_set_size(fd, 0n), SUCCESS);
      t.equal(calls.path_unlink_file(3, ...guest.text('f')), SUCCESS);
      t.equal(write(guest.open('g', ALL, OFLAG.CREAT), 201), NOSPC, 'what is gone still counts');
      t.equal(write(guest.open('g', ALL, 0, 1), 200), SUCCESS);
      t.equal(calls.fd_filestat_set_size(guest.open('g', ALL), 100n), SUCCESS, 'to shorten costs nothing');
      for (const size of [2n ** 63n, 2n ** 64n - 1n, -1n, 101n])
        t.equal(calls.fd_filestat_set_size(guest.open('g', ALL), size), NOSPC, `${size}`);
      t.equal(calls.fd_pwrite(guest.open('g', ALL), ...guest.vector(1), -1n, ANSWER_AT), NOSPC);
    },
  );
});

void t.test('a length that is set on what was opened to append', async (t) => {
  withGuest({ rights: [['/', ALL]], files: { '/f': 'x' }, maxBytes: 10 }, (guest) => {
    const fd = guest.open('f', ALL, 0, FDFLAG_APPEND);
    t.equal(guest.calls.fd_filestat_set_size(fd, 12n), NOSPC);
    t.equal(guest.calls.fd_filestat_set_size(fd, 11n), SUCCESS);
    t.equal(guest.write(fd, 'y'), NOSPC, 'the hole is paid for');
  });
});

void t.test('appending leaves no hole, wherever the position is', async (t) => {
  withGuest({ rights: [['/', ALL]], files: { '/f': 'x' }, maxBytes: 10 }, (guest) => {
    const fd = guest.open('f', ALL, 0, 1);
    t.equal(guest.calls.fd_seek(fd, 1_000_000n, 0, ANSWER_AT), SUCCESS);
    t.equal(guest.write(fd, 'yyyyy'), SUCCESS);
    t.equal(guest.calls.fd_fdstat_set_flags(fd, 0), SUCCESS);
    t.equal(guest.calls.fd_seek(fd, 1_000_000n, 0, ANSWER_AT), SUCCESS);
    t.equal(guest.write(fd, 'z'), NOSPC);
    t.equal(guest.calls.fd_fdstat_set_flags(fd, 1), SUCCESS);
    t.equal(guest.write(fd, 'zzzzz'), SUCCESS);
    t.equal(readFileSync(join(guest.world, 'f'), 'utf8'), 'xyyyyyzzzzz');
  });
});

void t.test('files and directories that may be made: at the limit and one over', async (t) => {
  withGuest({ rights: [['/', ALL]], files: { '/old': 'x' }, maxFiles: 3 }, (guest) => {
    const make = (path: string) => guest.calls.path_create_directory(3, ...guest.text(path));
    t.ok(guest.open('a', RIGHT.FD_WRITE, OFLAG.CREAT) > 3);
    t.equal(guest.open('a', RIGHT.FD_WRITE, OFLAG.CREAT | OFLAG.EXCL), -EXIST, 'what is not made costs nothing');
    t.equal(guest.open('none/a', RIGHT.FD_WRITE, OFLAG.CREAT), -NOENT);
    t.equal(make('d'), SUCCESS);
    t.equal(make('d'), EXIST);
    t.ok(guest.open('d/b', 0, OFLAG.CREAT) > 3);
    t.equal(guest.open('c', RIGHT.FD_WRITE, OFLAG.CREAT), -NOSPC);
    t.equal(make('e'), NOSPC);
    t.ok(guest.open('old', RIGHT.FD_WRITE, OFLAG.CREAT) > 3, 'what is there is opened all the same');
    t.equal(guest.calls.path_unlink_file(3, ...guest.text('a')), SUCCESS);
    t.equal(guest.open('a', RIGHT.FD_WRITE, OFLAG.CREAT), -NOSPC, 'to remove one makes no room');
  });
  withGuest({ rights: [['/', ALL]], maxFiles: 0, maxBytes: 0 }, (guest) => {
    t.equal(guest.open('a', RIGHT.FD_WRITE, OFLAG.CREAT), -NOSPC);
  });
});

// ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

void t.test('no clock, no times of any kind', async (t) => {
  for (const clock of [false, true]) {
    withGuest({ rights: [['/', ALL]], clock }, (guest) => {
      const { calls, memory } = guest;
      const errno = clock ? SUCCESS : ACCES;
      t.equal(calls.clock_time_get(0, 0n, ANSWER_AT), errno);
      t.equal(calls.clock_time_get(1, 0n, ANSWER_AT), errno);
      t.equal(calls.clock_res_get(0, ANSWER_AT), errno);
      memory.fill(0, 2000, 2048);
      t.equal(calls.poll_oneoff(2000, 3000, 1, ANSWER_AT), errno, 'to sleep is to have a clock');
      const fd = guest.open('f', ALL, OFLAG.CREAT);
      guest.write(fd, 'x');
      for (const get of [() => calls.fd_filestat_get(fd, ANSWER_AT), () => calls.path_filestat_get(3, 0, ...guest.text('f'), ANSWER_AT)]) {
        memory.fill(0xff, ANSWER_AT, ANSWER_AT + 64);
        t.equal(get(), SUCCESS);
        t.equal(memory.readBigUInt64LE(ANSWER_AT + 32), 1n, 'the length');
        t.equal(
          [40, 48, 56].every((at) => memory.readBigUInt64LE(ANSWER_AT + at) === 0n),
          !clock,
          'the times',
        );
      }
    });
  }
});

void t.test('times that cannot be set are refused, and the next call is answered', async (t) => {
  withGuest({ rights: [['/', ALL]], files: { '/f': 'x' } }, (guest) => {
    const { calls } = guest;
    const fd = guest.open('f', ALL);
    for (const flags of [3, 12, 15, 7, 14, 16, 30_000, 2 ** 31, -1]) {
      t.equal(calls.path_filestat_set_times(3, 0, ...guest.text('f'), 1n, 1n, flags), INVAL, `by path, ${flags}`);
      t.equal(calls.fd_filestat_set_times(fd, 1n, 1n, flags), INVAL, `by descriptor, ${flags}`);
      t.equal(calls.path_filestat_get(3, 0, ...guest.text('f'), ANSWER_AT), SUCCESS, 'the directory is free');
    }
  });
});

void t.test('to wait for descriptors, which are always ready', async (t) => {
  withGuest({ rights: [['/', ALL]], files: { '/f': 'x' }, clock: true }, (guest) => {
    const { calls, memory } = guest;
    const fd = guest.open('f', ALL);
    const subscribe = (i: number, tag: number, what: number) => {
      memory.fill(0, 2000 + 48 * i, 2048 + 48 * i);
      memory.writeBigUInt64LE(BigInt(70 + i), 2000 + 48 * i);
      memory.writeUInt8(tag, 2008 + 48 * i);
      memory.writeUInt32LE(what, 2016 + 48 * i);
    };
    subscribe(0, 1, fd);
    subscribe(1, 0, 1);
    subscribe(2, 2, fd);
    for (const answer of [5000, 2000]) {
      memory.fill(0xff, 5000, 5096);
      t.equal(calls.poll_oneoff(2000, answer, 3, ANSWER_AT), SUCCESS);
      t.equal(memory.readUInt32LE(ANSWER_AT), 2);
      const events = [0, 1].map((i) => [
        memory.readBigUInt64LE(answer + 32 * i),
        memory.readUInt16LE(answer + 8 + 32 * i),
        memory.readUInt8(answer + 10 + 32 * i),
      ]);
      t.same(
        events,
        [
          [70n, 0, 1],
          [72n, 0, 2],
        ],
        'also where the answers are written over the questions',
      );
    }
    subscribe(0, 1, 99);
    t.equal(calls.poll_oneoff(2000, 5000, 1, ANSWER_AT), BADF);
    for (const [at, count] of [
      [2000, 2 ** 31],
      [2000, 2 ** 26],
      [131_072 - 47, 1],
      [-48, 1],
    ] as const)
      t.equal(calls.poll_oneoff(at, 5000, count, ANSWER_AT), FAULT);
    t.equal(calls.poll_oneoff(2000, 131_072 - 31, 1, ANSWER_AT), FAULT);
    t.equal(calls.poll_oneoff(2000, 5000, 1, 131_072 - 3), FAULT);
    t.equal(calls.poll_oneoff(2000, 5000, 0, ANSWER_AT), INVAL);
  });
});

// ── Memory ───────────────────────────────────────────────────────────────────────────────────────────────────────────

void t.test('pointers to nowhere', async (t) => {
  withGuest({ rights: [['/', ALL]], files: { '/f': 'x' } }, (guest) => {
    const { calls, memory } = guest;
    const fd = guest.open('f', ALL);
    const end = memory.length;
    for (const [at, bytes] of [
      [end, 1],
      [end - 1, 2],
      [-1, 1],
      [0, -1],
      [2 ** 32 - 1, 2 ** 32 - 1],
    ] as const) {
      t.equal(calls.path_open(3, 0, at, bytes, 0, 2n, 0n, 0, ANSWER_AT), FAULT);
      t.equal(calls.path_unlink_file(3, at, bytes), FAULT);
      t.equal(calls.fd_write(fd, at, bytes === 1 ? 1 : bytes, ANSWER_AT), FAULT);
    }
    t.not(calls.path_open(3, 0, ...guest.text('f'), 0, 2n, 0n, 0, end - 3), SUCCESS, 'no place for the descriptor');
    t.not(calls.fd_filestat_get(fd, end - 63), SUCCESS);
    t.not(calls.fd_fdstat_get(fd, end - 23), SUCCESS);
    t.equal(calls.fd_write(fd, ...guest.vector(10, end - 9), ANSWER_AT) === SUCCESS, false);
    const before = Buffer.from(memory.subarray(0, 64));
    memory.fill(7, 0, 64);
    t.equal(guest.write(fd, 'x'), SUCCESS);
    t.ok(
      memory.subarray(0, 64).every((byte) => byte === 7),
      'what is lent to watch the length is given back',
    );
    before.copy(memory);
  });
});

void t.test('whatever is called with whatever, nothing happens that the rights forbid', async (t) => {
  const { all, names } = randomCalls();
  const FILES = {
    '/none/f': 'SECRET of none',
    '/read/f': 'read',
    '/read/deep/g': 'read',
    '/write/f': 'SECRET of write',
    '/both/f': 'both',
    '/both/only/f': 'only',
  };
  const rights: [string, number][] = [
    ['/read', bits('PATH_OPEN', 'FD_READ', 'FD_SEEK', 'FD_READDIR', 'FD_TELL')],
    ['/write', bits('PATH_CREATE_FILE', 'PATH_CREATE_DIRECTORY', ...WRITING)],
    ['/both', ALL],
    ['/both/only', bits('PATH_OPEN', 'FD_READ')],
  ];
  const outcomes = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(all, { maxLength: 60, size: 'max' }), (steps) =>
      withGuest({ rights, files: FILES, directories: ['/read', '/write', '/both'], maxBytes: 5000, maxFiles: 5 }, (guest) => {
        guest.memory.fill(0);
        for (const [index, one] of names.entries()) guest.text(one, 256 * index);
        guest.memory.writeUInt32LE(50_000, 20_000);
        guest.memory.writeUInt32LE(70, 20_004);
        for (const { call, given } of steps) {
          const answer = (guest.calls[call] as (...values: unknown[]) => unknown)(...given);
          const outcome = `${call} ${answer === SUCCESS}`;
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
          if (!Number.isInteger(answer)) throw new Error(`${call} answered ${String(answer)}`);
        }
        for (const untouched of ['/none/f', '/read/f', '/read/deep/g', '/both/only/f'] as const) {
          const path = join(guest.world, untouched);
          const stats = statSync(path);
          if (readFileSync(path, 'utf8') !== FILES[untouched] || stats.mtimeMs !== 0) throw new Error(`${untouched} was changed`);
        }
        if (guest.memory.includes('SECRET')) throw new Error('what may not be read was read');
        const outside = ['stdin', 'stdout', 'stderr', 'world'];
        if (readdirSync(guest.folder).sort().join() !== [...outside].sort().join()) throw new Error('something outside the world');
        if (readdirSync(guest.world).sort().join() !== 'both,none,read,write') throw new Error('something in the root');
        return readFileSync(join(guest.folder, 'stdout')).length === 0;
      }),
    ),
    seeded(500),
  );
  for (const call of ['path_open', 'path_unlink_file', 'path_rename', 'fd_write', 'fd_read', 'path_create_directory'])
    for (const success of [true, false]) t.ok(outcomes.has(`${call} ${success}`), `${call} ${success ? 'succeeded' : 'failed'} at times`);
});

/** Calls with numbers that mean something: descriptors that may be open, pointers to paths, and sometimes anything. */
function randomCalls() {
  const names = [
    'read/f',
    'write/f',
    'both/f',
    'none/f',
    'both/only/f',
    'both/new',
    'write/new',
    '../x',
    'both',
    'read',
    'both/d',
    'both/d/f',
    'g',
    'f',
    '.',
  ];
  const likely = [2, 2, 5];
  const path = fc
    .oneof(fc.nat(names.length - 1), fc.constantFrom(...likely))
    .map((i) => [256 * i, Buffer.byteLength(names[i] as string)] as const);
  const fd = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(3, 4, 5, 6, 7, 7, 8) }, { weight: 1, arbitrary: fc.integer() });
  const top = fc.oneof({ weight: 4, arbitrary: fc.constant(3) }, { weight: 1, arbitrary: fd });
  const pointer = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(10_000, 20_000, 30_000) }, { weight: 1, arbitrary: fc.integer() });
  const small = fc.oneof(fc.nat(20), fc.integer());
  const long = fc.oneof(fc.bigInt(0n, 200n), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n));
  const opens = fc
    .tuple(
      top,
      path,
      fc.constantFrom(0, 0, 1, 8, 15),
      fc.oneof({ weight: 4, arbitrary: fc.constantFrom(2n, 64n, 66n, BigInt(ALL)) }, { weight: 1, arbitrary: long }),
      fc.nat(1),
    )
    .map(([from, [at, bytes], oflags, base, flags]) => ({
      call: 'path_open' as const,
      given: [from, 0, at, bytes, oflags, base, 0n, flags, 40_000],
    }));
  const byPath = fc
    .tuple(fc.constantFrom('path_unlink_file' as const, 'path_create_directory' as const, 'path_remove_directory' as const), fd, path)
    .map(([call, from, [at, bytes]]) => ({
      call,
      given: [from, at, bytes],
    }));
  const renames = fc
    .tuple(top, path, top, path)
    .map(([from, [at, bytes], to, [toAt, toBytes]]) => ({ call: 'path_rename' as const, given: [from, at, bytes, to, toAt, toBytes] }));
  const transfers = fc
    .tuple(fc.constantFrom('fd_read' as const, 'fd_write' as const), fd)
    .map(([call, from]) => ({ call, given: [from, 20_000, 1, 45_000] }));
  const others = fc
    .constantFrom(...CALL_NAMES.filter((name) => name !== 'proc_exit'))
    .chain((call) =>
      fc
        .tuple(...[...SIGNATURES[call]].map((type, i) => (type === 'I' ? long : i === 0 ? fd : fc.oneof(pointer, small))))
        .map((given) => ({ call, given: [...given] as (number | bigint)[] })),
    );
  return {
    all: fc.oneof(
      { weight: 8, arbitrary: opens },
      { weight: 2, arbitrary: byPath },
      { weight: 2, arbitrary: renames },
      { weight: 3, arbitrary: transfers },
      { weight: 6, arbitrary: others },
    ),
    names,
  };
}
