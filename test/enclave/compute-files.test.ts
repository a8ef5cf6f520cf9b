/** What the file calls do, where their rights are all there: positions, vectors, listings, times, waiting. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ERRNO, FDFLAG_APPEND, OFLAG, RIGHT } from '../../lib/enclave/compute/child/preview1.js';
import { ANSWER_AT, type Guest, withGuest } from './compute-guest.js';

const { SUCCESS, BADF, BUSY, FAULT, FBIG, INVAL, ISDIR, NAMETOOLONG, NOSPC, NOTCAPABLE, NOTSUP } = ERRNO;
const ALL = 2 ** 29 - 1;
const free = { rights: [['/', ALL] as [string, number]], clock: true };
const [FROM_START, FROM_HERE, FROM_END] = [0, 1, 2];

/** The position after a seek; the error as a negative number. */
function seek({ calls, memory }: Guest, fd: number, offset: bigint, whence: number): number {
  const errno = calls.fd_seek(fd, offset, whence, ANSWER_AT);
  return errno === SUCCESS ? Number(memory.readBigUInt64LE(ANSWER_AT)) : -errno;
}

void t.test('positions', async (t) => {
  withGuest({ ...free, files: { '/f': '0123456789' } }, (guest) => {
    const { calls } = guest;
    const fd = guest.open('f', ALL);
    t.equal(guest.read(fd, 3), '012');
    t.equal(seek(guest, fd, 0n, FROM_HERE), 3);
    t.equal(calls.fd_pread(fd, ...guest.vector(2, ANSWER_AT + 100), 8n, ANSWER_AT), SUCCESS);
    t.equal(guest.memory.toString('latin1', ANSWER_AT + 100, ANSWER_AT + 102), '89');
    t.equal(guest.read(fd, 1), '3', 'to read elsewhere moves nothing');
    t.equal(seek(guest, fd, -2n, FROM_END), 8);
    t.equal(seek(guest, fd, -3n, FROM_HERE), 5);
    t.equal(seek(guest, fd, 2n, FROM_START), 2);
    t.equal(seek(guest, fd, -3n, FROM_HERE), -INVAL, 'before the start');
    t.equal(seek(guest, fd, 0n, 3), -INVAL);
    t.equal(seek(guest, fd, 2n ** 62n, FROM_START), -INVAL, 'where no file reaches');
    t.equal(calls.fd_tell(fd, ANSWER_AT), SUCCESS);
    t.equal(guest.memory.readBigUInt64LE(ANSWER_AT), 2n, 'what failed moved nothing');
    t.equal(guest.write(fd, 'ab'), SUCCESS);
    t.equal(guest.read(fd, 2), '45');
    t.equal(seek(guest, fd, 20n, FROM_START), 20);
    t.equal(guest.read(fd), '', 'behind the end is nothing');
    t.equal(readFileSync(join(guest.world, 'f'), 'utf8'), '01ab456789');
    const second = guest.open('f', ALL);
    t.equal(guest.read(second, 2), '01', 'each descriptor has its own');
    t.equal(calls.fd_pread(fd, ...guest.vector(2), -1n, ANSWER_AT), INVAL);
  });
});

void t.test('what is open to append', async (t) => {
  withGuest({ ...free, files: { '/f': 'old' } }, (guest) => {
    const fd = guest.open('f', ALL, 0, FDFLAG_APPEND);
    t.equal(guest.write(fd, 'a'), SUCCESS);
    t.equal(seek(guest, fd, 0n, FROM_HERE), 4, 'the position is at the end then');
    guest.text('b', ANSWER_AT + 100);
    t.equal(guest.calls.fd_pwrite(fd, ...guest.vector(1, ANSWER_AT + 100), 0n, ANSWER_AT), SUCCESS);
    t.equal(readFileSync(join(guest.world, 'f'), 'utf8'), 'oldab');
    guest.calls.fd_fdstat_get(fd, ANSWER_AT);
    t.equal(guest.memory.readUInt16LE(ANSWER_AT + 2), FDFLAG_APPEND, 'and the program is told so');
  });
});

void t.test('vectors of many pieces, empty ones, and one that is not all there', async (t) => {
  withGuest(free, (guest) => {
    const { calls, memory } = guest;
    const fd = guest.open('f', ALL, OFLAG.CREAT);
    const vector = (pieces: readonly (readonly [at: number, bytes: number])[]) => {
      for (const [i, [at, bytes]] of pieces.entries()) memory.writeUInt32LE(bytes, memory.writeUInt32LE(at, 100_000 + 8 * i));
      return [100_000, pieces.length] as const;
    };
    guest.text('xyz', 90_000);
    t.equal(
      calls.fd_write(
        fd,
        ...vector([
          [90_000, 1],
          [0, 0],
          [90_002, 1],
          [90_001, 1],
        ]),
        ANSWER_AT,
      ),
      SUCCESS,
    );
    t.equal(memory.readUInt32LE(ANSWER_AT), 3);
    t.equal(readFileSync(join(guest.world, 'f'), 'utf8'), 'xzy');
    t.equal(calls.fd_write(fd, ...vector([]), ANSWER_AT), SUCCESS);
    t.equal(memory.readUInt32LE(ANSWER_AT), 0, 'no bytes');
    t.equal(
      calls.fd_write(
        fd,
        ...vector([
          [90_000, 1],
          [memory.length - 1, 2],
        ]),
        ANSWER_AT,
      ),
      FAULT,
    );
    t.equal(calls.fd_write(fd, ...vector([[90_000, 1]]), memory.length - 3), FAULT, 'no place for the answer');
    t.equal(statSync(join(guest.world, 'f')).size, 3, 'nothing of these was written');
    t.equal(calls.fd_write(fd, ...vector(Array.from({ length: 2000 }, () => [90_000, 1] as const)), ANSWER_AT), SUCCESS);
    const written = memory.readUInt32LE(ANSWER_AT);
    t.ok(written > 0 && written <= 2000, 'as many as the system takes');
    t.equal(statSync(join(guest.world, 'f')).size, 3 + written, 'and the program is told how many');
  });
});

/** Names and cookies that one call gives, the last one as far as it fits; `all` is false when the buffer was full. */
function entries({ calls, memory }: Guest, fd: number, bytes: number, cookie: bigint): { names: [string, bigint][]; all: boolean } {
  const at = 70_000;
  t.equal(calls.fd_readdir(fd, at, bytes, cookie, ANSWER_AT), SUCCESS);
  const used = memory.readUInt32LE(ANSWER_AT);
  const names: [string, bigint][] = [];
  for (let i = at; i + 24 <= at + used; ) {
    const end = i + 24 + memory.readUInt32LE(i + 16);
    if (end > at + used) break;
    names.push([memory.toString('utf8', i + 24, end), memory.readBigUInt64LE(i)]);
    i = end;
  }
  return { names, all: used < bytes };
}

void t.test('a directory that is listed in small pieces, while it changes', async (t) => {
  const names = ['a', 'bb', 'ccc', 'dddd', 'é'];
  withGuest({ ...free, files: Object.fromEntries(names.map((name) => [`/d/${name}`, name])) }, (guest) => {
    const fd = guest.open('d', 0, OFLAG.DIRECTORY);
    const seen: string[] = [];
    let cookie = 0n;
    for (let all = false; !all; ) {
      const piece = entries(guest, fd, 40, cookie);
      seen.push(...piece.names.map(([name]) => name));
      cookie = piece.names.at(-1)?.[1] ?? cookie;
      all = piece.all;
      guest.calls.path_unlink_file(3, ...guest.text(`d/${seen.at(-1)}`));
    }
    t.same(seen.slice(0, 2), ['.', '..']);
    t.same(seen.slice(2).sort(), [...names].sort(), 'each once');
    const dots = (names: readonly [string, bigint][]) => names.map(([name]) => name);
    t.same(dots(entries(guest, fd, 1000, 0n).names), ['.', '..'], 'from the start it is looked at again');
    t.same(entries(guest, fd, 1000, -1n).names, [], 'a cookie of nobody');
  });
});

void t.test('the root is what is above it', async (t) => {
  withGuest({ ...free, directories: ['/d'] }, (guest) => {
    const inodes = (fd: number) => {
      t.equal(guest.calls.fd_readdir(fd, 70_000, 1000, 0n, ANSWER_AT), SUCCESS);
      // Behind the first head of 24 bytes stands one byte of name.
      return [guest.memory.readBigUInt64LE(70_008), guest.memory.readBigUInt64LE(70_033)];
    };
    const root = statSync(guest.world, { bigint: true }).ino;
    t.same(inodes(3), [root, root]);
    t.same(inodes(4), [statSync(join(guest.world, 'd'), { bigint: true }).ino, root]);
  });
});

void t.test('room in a file', async (t) => {
  withGuest({ ...free, files: { '/f': 'text' }, maxBytes: 100 }, (guest) => {
    const { calls } = guest;
    const fd = guest.open('f', ALL);
    const size = () => statSync(join(guest.world, 'f')).size;
    t.equal(calls.fd_allocate(fd, 1n, 2n), SUCCESS);
    t.equal(size(), 4, 'it is long enough');
    t.equal(calls.fd_allocate(fd, 4n, 6n), SUCCESS);
    t.equal(readFileSync(join(guest.world, 'f'), 'latin1'), 'text\0\0\0\0\0\0');
    t.equal(calls.fd_allocate(fd, 0n, 0n), INVAL);
    t.equal(calls.fd_allocate(fd, 0n, 105n), NOSPC, 'what it takes is counted');
    t.equal(calls.fd_allocate(fd, -1n, 2n), FBIG, 'a sum of more than 64 bits');
    t.equal(size(), 10);
    t.equal(calls.fd_allocate(3, 0n, 1n), NOTCAPABLE, 'a directory');
  });
});

void t.test('a directory that is renamed', async (t) => {
  const files = { '/d/f': 'x', '/d/sub/g': 'y' };
  withGuest({ ...free, files }, (guest) => {
    const { calls } = guest;
    const rename = (from: string, to: string) => calls.path_rename(3, ...guest.text(from), 3, ...guest.text(to, 2000));
    const [directory, below] = [guest.open('d', 0, OFLAG.DIRECTORY), guest.open('d/sub', 0, OFLAG.DIRECTORY)];
    const file = guest.open('d/f', ALL);
    t.equal(rename('d/', 'e/'), SUCCESS);
    t.same(guest.list(3), ['e']);
    t.equal(guest.read(guest.open('f', RIGHT.FD_READ, 0, 0, directory)), 'x', 'what is open of it follows');
    t.equal(guest.read(guest.open('g', RIGHT.FD_READ, 0, 0, below)), 'y');
    t.equal(calls.fd_filestat_set_times(file, 0n, 1n, 4), SUCCESS);
    t.equal(rename('e', 'e/sub/e'), INVAL);
    t.equal(rename('e/f', 'e/sub'), ISDIR);
    t.equal(rename('/', 'f'), NOTCAPABLE);
    t.equal(rename('.', 'f'), BUSY);
  });
  // Where something below has rights of its own, at either end, it would gain or lose them on the way.
  for (const listed of ['/d/f', '/e/f'] as const) {
    withGuest({ ...free, rights: [...free.rights, [listed, 0]], files }, (guest) => {
      t.equal(guest.calls.path_rename(3, ...guest.text('d'), 3, ...guest.text('e', 2000)), NOTSUP, listed);
      t.same(guest.list(3), ['d']);
    });
  }
});

void t.test('times to the nanosecond, which the system does not take', async (t) => {
  withGuest({ ...free, files: { '/f': 'x' } }, (guest) => {
    const { calls, memory } = guest;
    const fd = guest.open('f', ALL);
    const times = () => {
      t.equal(calls.fd_filestat_get(fd, ANSWER_AT), SUCCESS);
      return [memory.readBigUInt64LE(ANSWER_AT + 40), memory.readBigUInt64LE(ANSWER_AT + 48)];
    };
    const [one, other] = [1_796_087_197_949_781_123n, 1_700_000_000_000_000_007n];
    t.equal(calls.fd_filestat_set_times(fd, one, other, 5), SUCCESS);
    t.same(times(), [one, other]);
    t.equal(calls.fd_filestat_set_times(fd, 0n, one, 4), SUCCESS);
    t.same(times(), [one, one], 'one is set, the other stays');
    t.equal(guest.write(fd, 'more'), SUCCESS);
    t.not(times()[1], one, 'a change is a change');
  });
});

void t.test('rights of a directory can be given up, for good', async (t) => {
  withGuest({ ...free, files: { '/f': 'x' } }, (guest) => {
    const { calls } = guest;
    const rights = (base: number, inheriting: number) => calls.fd_fdstat_set_rights(3, BigInt(base), BigInt(inheriting));
    const { PATH_OPEN, PATH_CREATE_FILE, FD_READ, FD_WRITE, FD_SEEK } = RIGHT;
    t.equal(rights(PATH_OPEN | FD_READ, FD_READ), NOTCAPABLE, 'a directory has none to be read');
    t.equal(rights(PATH_OPEN | PATH_CREATE_FILE, FD_READ | FD_SEEK), SUCCESS);
    t.equal(guest.open('f', FD_WRITE), -NOTCAPABLE, 'what is below has no more than it passes on');
    t.equal(guest.open('f', FD_READ, OFLAG.TRUNC), -NOTCAPABLE);
    t.equal(readFileSync(join(guest.world, 'f'), 'utf8'), 'x');
    t.ok(guest.open('f', FD_READ) > 3);
    t.equal(calls.path_unlink_file(3, ...guest.text('f')), NOTCAPABLE);
    t.equal(rights(ALL, 0), NOTCAPABLE);
  });
});

void t.test('times', async (t) => {
  withGuest({ ...free, files: { '/f': 'x', '/g': 'x' } }, (guest) => {
    const { calls } = guest;
    const fd = guest.open('f', ALL);
    const [ATIM, MTIM] = [1, 4];
    t.equal(calls.fd_filestat_set_times(fd, 7_000_000_000n, 9_000_000_000n, MTIM), SUCCESS);
    t.equal(statSync(join(guest.world, 'f')).mtimeMs, 9000);
    t.equal(statSync(join(guest.world, 'f')).atimeMs, 0, 'the other stays');
    t.equal(calls.path_filestat_set_times(3, 0, ...guest.text('g'), 5_000_000_000n, 0n, ATIM), SUCCESS);
    t.equal(statSync(join(guest.world, 'g')).atimeMs, 5000);
    t.equal(calls.path_rename(3, ...guest.text('g'), 3, ...guest.text('f', 2000)), SUCCESS);
    t.equal(calls.fd_filestat_set_times(fd, 1n, 1n, MTIM), NOTSUP, 'what has no name any more');
    t.equal(statSync(join(guest.world, 'f')).atimeMs, 5000, 'and what has it now stays as it is');
  });
});

void t.test('clocks, and to wait for a time on one', async (t) => {
  withGuest(free, (guest) => {
    const { calls, memory } = guest;
    const now = (id: number) => {
      t.equal(calls.clock_time_get(id, 0n, ANSWER_AT), SUCCESS);
      return memory.readBigUInt64LE(ANSWER_AT);
    };
    const before = BigInt(Date.now()) * 1_000_000n;
    const realtime = now(0);
    const hour = 3_600_000_000_000n;
    t.ok(realtime > before - hour && realtime < before + hour, 'the calendar');
    const first = now(1);
    t.ok(now(1) >= first, 'one that does not go back');
    for (const id of [2, 3]) t.ok(now(id) > 0n, 'the time of the process');
    for (const id of [4, -1]) t.equal(calls.clock_time_get(id, 0n, ANSWER_AT), INVAL);
    t.equal(calls.clock_res_get(4, ANSWER_AT), INVAL);
    const wait = (id: number, timeout: bigint, flags: number) => {
      memory.fill(0, 2000, 2048);
      memory.writeUInt32LE(id, 2016);
      memory.writeBigUInt64LE(timeout, 2024);
      memory.writeUInt16LE(flags, 2040);
      t.equal(calls.poll_oneoff(2000, 3000, 1, ANSWER_AT), SUCCESS);
      return memory.readUInt16LE(3008);
    };
    const start = now(1);
    t.equal(wait(1, 3_000_000n, 0), SUCCESS);
    t.ok(now(1) - start >= 3_000_000n, 'so long at least');
    const until = now(1) + 2_000_000n;
    t.equal(wait(1, until, 1), SUCCESS);
    t.ok(now(1) >= until, 'until then at least');
    t.equal(wait(0, 5n, 1), SUCCESS, 'what is past is due');
    t.equal(wait(9, 5n, 0), INVAL, 'a clock that there is not is an error of its event');
  });
});

void t.test('random bytes, arguments, and names that are too long', async (t) => {
  withGuest({ ...free, directories: ['/sub'] }, (guest) => {
    const { calls, memory } = guest;
    memory.fill(0, 70_000, 70_064);
    t.equal(calls.random_get(70_000, 64), SUCCESS);
    t.notOk(memory.subarray(70_000, 70_064).equals(Buffer.alloc(64)));
    t.equal(calls.random_get(memory.length - 1, 2), FAULT);
    t.equal(calls.args_sizes_get(memory.length - 3, ANSWER_AT), FAULT);
    t.equal(calls.args_get(memory.length - 3, ANSWER_AT), FAULT);
    t.equal(calls.fd_prestat_dir_name(4, ANSWER_AT, 3), NAMETOOLONG);
    t.equal(calls.fd_prestat_dir_name(4, ANSWER_AT, 4), SUCCESS);
    t.equal(memory.toString('latin1', ANSWER_AT, ANSWER_AT + 4), '/sub');
    t.equal(calls.fd_prestat_get(5, ANSWER_AT), BADF);
    t.equal(calls.fd_prestat_get(1, ANSWER_AT), INVAL);
    const [at, bytes] = guest.text(`${'n'.repeat(200)}/`.repeat(20), 80_000);
    t.equal(calls.path_create_directory(3, at, bytes), NAMETOOLONG, 'beyond what the path of the world leaves');
  });
});
