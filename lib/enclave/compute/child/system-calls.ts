import { check, type Host } from './host.js';
import { ERRNO, type Preview1, RIGHT } from './preview1.js';

type SystemCalls = Omit<Preview1, Extract<keyof Preview1, `${'fd' | 'path'}_${string}`>>;

const SUBSCRIPTION_BYTES = 48;
/** Where a subscription says what it waits for, and where the descriptor is. */
const TAG_AT = 8;
const FD_AT = 16;
const TAG_CLOCK = 0;
const EVENT_BYTES = 32;
/** Where an event says what happened. */
const EVENT_TAG_AT = 10;

/** Calls that are about neither descriptors nor paths. There are no sockets and no signals. */
export function systemCalls(host: Host): SystemCalls {
  const { real, clock } = host;
  const refused = () => ERRNO.NOSYS;
  return {
    args_get: (argv, buffer) => real.args_get(argv, buffer),
    args_sizes_get: (count, bytes) => real.args_sizes_get(count, bytes),
    // There is none, for which `node:wasi` would answer EINVAL.
    environ_get: () => ERRNO.SUCCESS,
    environ_sizes_get: (count, bytes) => real.environ_sizes_get(count, bytes),
    clock_res_get: (id, resolution) => (clock ? real.clock_res_get(id, resolution) : ERRNO.ACCES),
    clock_time_get: (id, precision, time) => (clock ? real.clock_time_get(id, precision, time) : ERRNO.ACCES),
    poll_oneoff: (subscriptions, events, count, happened) => poll(host, subscriptions, events, count, happened),
    proc_exit: (code) => real.proc_exit(code),
    proc_raise: refused,
    random_get: (buffer, bytes) => real.random_get(buffer, bytes),
    sched_yield: () => real.sched_yield(),
    sock_accept: refused,
    sock_recv: refused,
    sock_send: refused,
    sock_shutdown: refused,
  };
}

/**
 * To wait for a time is to have a clock; to wait for a descriptor is a right of its own. All descriptors are files, which
 * are always ready: they are answered here, because `node:wasi` cannot wait for files.
 */
function poll(host: Host, subscriptions: number, events: number, count: number, happened: number): number {
  const asked = slices(host, subscriptions, count, SUBSCRIPTION_BYTES);
  const answers = slices(host, events, count, EVENT_BYTES);
  const sum = host.memory.bytes(happened, 4);
  if (asked === undefined || answers === undefined || sum === undefined) return ERRNO.FAULT;
  const ready: Buffer[] = [];
  for (const one of asked) {
    if (one.readUInt8(TAG_AT) === TAG_CLOCK) {
      if (!host.clock) return ERRNO.ACCES;
      continue;
    }
    const errno = check(host, one.readUInt32LE(FD_AT), RIGHT.POLL_FD_READWRITE);
    if (errno !== ERRNO.SUCCESS) return errno;
    // Copied: the answers may be where the questions are.
    ready.push(Buffer.from(one.subarray(0, TAG_AT + 1)));
  }
  if (ready.length === 0) return host.real.poll_oneoff(subscriptions, events, count, happened);
  for (const [index, one] of ready.entries()) {
    const answer = answers[index]?.fill(0);
    one.copy(answer as Buffer, 0, 0, TAG_AT);
    answer?.writeUInt8(one.readUInt8(TAG_AT), EVENT_TAG_AT);
  }
  sum.writeUInt32LE(ready.length);
  return ERRNO.SUCCESS;
}

/** `count` pieces of the memory, one behind the other. */
function slices({ memory }: Host, pointer: number, count: number, bytes: number): Buffer[] | undefined {
  const all = count >>> 0 < 2 ** 26 ? memory.bytes(pointer, (count >>> 0) * bytes) : undefined;
  return all && Array.from({ length: count >>> 0 }, (_, i) => all.subarray(i * bytes, (i + 1) * bytes));
}
