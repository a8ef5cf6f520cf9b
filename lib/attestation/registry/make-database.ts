/** The thread of `embedded.ts` that makes a database in an empty folder. Never imported. */
import { workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

await (await PGlite.create(workerData as string)).close();
