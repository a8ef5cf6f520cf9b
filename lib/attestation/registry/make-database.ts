/** A thread that `embedded.ts` starts to create a database in an empty folder. Never imported. */
import { workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

await (await PGlite.create(workerData as string)).close();
