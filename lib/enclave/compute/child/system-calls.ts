import { resolutionOf, timeOf } from './clocks.js';
import type { Host } from './host.js';
import { poll } from './poll.js';
import { ERRNO, type Preview1 } from './preview1.js';

type SystemCalls = Omit<Preview1, Extract<keyof Preview1, `${'fd' | 'path'}_${string}`>>;

/** Random bytes that are made at once, less than what Node refuses. */
const MAX_RANDOM_BYTES = 2 ** 30;

/** What `proc_exit` throws, to leave the program. */
export class Exit extends Error {
  /** A u32. */
  readonly code: number;

  constructor(code: number) {
    super('the program exits');
    this.code = code >>> 0;
  }
}

/** Calls that are about neither descriptors nor paths. There are no sockets and no signals. */
export function systemCalls(host: Host): SystemCalls {
  const { clock, memory } = host;
  const refused = () => ERRNO.NOSYS;
  // Whatever is open is none: nothing here makes one.
  const noSocket = (fd: number) => (host.descriptors.get(fd) === undefined ? ERRNO.BADF : ERRNO.NOTSOCK);
  const args = host.args.map(withNul);
  const environment = host.environment.map(withNul);
  const time = (pointer: number, look: () => bigint | undefined): number => {
    if (!clock) return ERRNO.ACCES;
    const answer = memory.bytes(pointer, 8);
    if (answer === undefined) return ERRNO.FAULT;
    const value = look();
    if (value !== undefined) answer.writeBigUInt64LE(value);
    return value === undefined ? ERRNO.INVAL : ERRNO.SUCCESS;
  };

  return {
    args_get: (argv, buffer) => answerTexts(host, args, argv, buffer),
    args_sizes_get: (count, bytes) => answerSizes(host, args, count, bytes),
    environ_get: (environ, buffer) => answerTexts(host, environment, environ, buffer),
    environ_sizes_get: (count, bytes) => answerSizes(host, environment, count, bytes),
    clock_res_get: (id, resolution) => time(resolution, () => resolutionOf(id)),
    clock_time_get: (id, _precision, pointer) => time(pointer, () => timeOf(id)),
    poll_oneoff: (subscriptions, events, count, happened) => poll(host, subscriptions, events, count, happened),
    proc_exit(code) {
      throw new Exit(code);
    },
    proc_raise: refused,
    random_get(buffer, bytes) {
      const answer = memory.bytes(buffer, bytes);
      if (answer === undefined) return ERRNO.FAULT;
      // Loaded when a program wants it: it takes longer to load than all the rest.
      const { randomFillSync } = process.getBuiltinModule('node:crypto');
      for (let at = 0; at < answer.length; at += MAX_RANDOM_BYTES) randomFillSync(answer.subarray(at, at + MAX_RANDOM_BYTES));
      return ERRNO.SUCCESS;
    },
    sched_yield: () => ERRNO.SUCCESS,
    sock_accept: noSocket,
    sock_recv: noSocket,
    sock_send: noSocket,
    sock_shutdown: noSocket,
  };
}

const withNul = (text: string): Buffer => Buffer.from(`${text}\0`);

function answerSizes({ memory }: Host, texts: readonly Buffer[], count: number, bytes: number): number {
  const sum = texts.reduce((all, { length }) => all + length, 0);
  return memory.answer([count, texts.length], [bytes, sum]) ? ERRNO.SUCCESS : ERRNO.FAULT;
}

/** Writes texts that end with a NUL to `buffer`, one behind the other, and pointers to them to `pointers`. */
function answerTexts({ memory }: Host, texts: readonly Buffer[], pointers: number, buffer: number): number {
  const all = Buffer.concat(texts);
  const answer = memory.bytes(buffer, all.length);
  const list = memory.bytes(pointers, 4 * texts.length);
  if (answer === undefined || list === undefined) return ERRNO.FAULT;
  answer.set(all);
  let at = buffer >>> 0;
  for (const [index, { length }] of texts.entries()) {
    list.writeUInt32LE(at, 4 * index);
    at += length;
  }
  return ERRNO.SUCCESS;
}
