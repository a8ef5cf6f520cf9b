import { RETRY_ICECAP, RETRY_NITRO, type RetryOptions } from '../transports/socket.js';
import type { LinkOptions } from './stacks.js';

/** One try only: on Linux the manager is started before its Server. */
const ONCE: RetryOptions = Object.freeze({ tries: 1, intervalMs: 0, backoff: 1 });

/** How a Server and a Runtime Manager connect: dialect, frame and retries. */
export interface Arrangement extends LinkOptions {
  /** The Server's tries to connect at its start. */
  readonly retry: RetryOptions;
}

/**
 * The arrangements of the original (wire spec §C, §D): `linux` over TCP, `nitro` over a Unix socket that bridges a vsock
 * port, `icecap` over the Unix socket of QEMU's chardev, with a VirtIO console at the manager's end.
 */
export const ARRANGEMENTS = Object.freeze({
  linux: { dialect: '2207', frame: 'tcp9', retry: ONCE },
  nitro: { dialect: '2207-nitro', frame: 'tcp9', retry: RETRY_NITRO },
  icecap: { dialect: '2207', frame: 'icecap4', retry: RETRY_ICECAP },
} satisfies Record<string, Arrangement>);

/** The name of an arrangement: `linux`, `nitro` or `icecap`. */
export type ArrangementName = keyof typeof ARRANGEMENTS;
