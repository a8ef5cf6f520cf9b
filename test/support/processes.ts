/**
 * The mark of a test file that starts a process (a role, an external program) or opens a database. Such a file imports this
 * one, itself or through a module of `test/` that does; nothing else of it is used.
 *
 * `npm run test:fast` leaves the marked files out (`run.ts`). A file without the mark cannot do these things: `guard.ts`
 * refuses them, and the test fails.
 */
import { allowProcesses } from './guard.js';

allowProcesses();
