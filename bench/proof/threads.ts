import { Worker } from 'node:worker_threads';

/**
 * Runs a module in several threads, one for each of `shares`, which it finds as `workerData`. It posts `{ result }` when it
 * is over, and anything else meanwhile.
 *
 * @param onMessage called with what is not a result
 * @returns the results, in the order of `shares`
 */
export function inThreads<Share, Result, Message>(
  module: URL,
  shares: readonly Share[],
  onMessage: (message: Message) => void,
): Promise<Result[]> {
  return Promise.all(shares.map((workerData) => inThread<Share, Result, Message>(module, workerData, onMessage)));
}

function inThread<Share, Result, Message>(module: URL, workerData: Share, onMessage: (message: Message) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(module, { workerData });
    worker.on('message', (message: Message | { readonly result: Result }) => {
      if (typeof message === 'object' && message !== null && 'result' in message) resolve(message.result);
      else onMessage(message);
    });
    worker.on('error', reject);
    worker.on('exit', () => reject(new Error('a thread has ended before it was through')));
  });
}
