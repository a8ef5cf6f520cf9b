import { http } from './http.js';
import { memory } from './memory.js';
import { serial } from './serial.js';
import { tcp } from './tcp.js';
import { unix } from './unix.js';

/** The transports whose pipes carry bytes. `parseAddress` reads their addresses, and `openPipe` opens them. */
export const BYTE_TRANSPORTS = [tcp, unix, serial, memory] as const;

/** Every transport. The list in `test/compliance/transports.test.ts` must name each of them too; a test compares the two. */
export const TRANSPORTS = [...BYTE_TRANSPORTS, http] as const;
