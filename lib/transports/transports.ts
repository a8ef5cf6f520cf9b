import { http } from './http.js';
import { memory } from './memory.js';
import { serial } from './serial.js';
import { tcp } from './tcp.js';
import { unix } from './unix.js';

/** The transports whose pipes carry bytes. An address of theirs can be read by `parseAddress` and opened by `openPipe`. */
export const BYTE_TRANSPORTS = [tcp, unix, serial, memory] as const;

/** Every transport. Each is named in the list of `test/compliance/transports.test.ts` as well, and a test compares the two. */
export const TRANSPORTS = [...BYTE_TRANSPORTS, http] as const;
