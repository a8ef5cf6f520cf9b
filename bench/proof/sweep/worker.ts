/** Some of the cases of `npm run sweep`, in a thread with a clock and a network of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Extent, sweep } from './sweep.js';

parentPort?.postMessage({ result: await sweep(workerData as Extent) });
