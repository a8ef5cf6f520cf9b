/** A process that the crash tests kill: `store-child <root> <mode>`. Tells what it did on stdout, a line each. */
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';
import { put, written } from './store-support.js';

const [root, mode] = process.argv.slice(2) as [string, string];
/** What the endless modes write: record `i` is 1,000 times the byte i % 256. */
const record = (i: number): Buffer => Buffer.alloc(1000, i % 256);
const tell = (line: string): void => void process.stdout.write(`${line}\n`);

const store = await DirectoryStore.open(root);
/** What is open when the process is killed. Were it forgotten instead, a collection of garbage would close its files. */
const held: unknown[] = [store];
if (mode === 'once') {
  await put(store, '/log', record(0));
  tell('write');
  await put(store, '/log', record(1), 'append');
  tell('append');
  await store.remove('/log');
  tell('remove');
  await store.close();
  process.exit();
}
switch (mode) {
  case 'write':
  case 'append':
    for (const name of ['/old', '/new']) {
      const sink = store[mode](name);
      held.push(sink);
      await written(sink, Buffer.alloc(2_000_000, 'x'));
    }
    tell('written');
    break;
  case 'replaced': {
    const sink = store.append('/old');
    held.push(sink);
    await written(sink, Buffer.alloc(2_000_000, 'x'));
    await put(store, '/old', Buffer.alloc(3_000_000, 'y'));
    tell('written');
    break;
  }
  case 'writes':
  case 'appends':
    for (let i = 0; ; i++) {
      await put(store, '/log', record(i), mode === 'appends' ? 'append' : 'write');
      tell(`${i}`);
    }
  case 'full':
    // Past `ulimit -f` the system sends this signal, and then tells the writer.
    process.on('SIGXFSZ', () => {});
    for (const how of ['write', 'append'] as const) {
      const failed: unknown = await put(store, '/old', Buffer.alloc(2_000_000), how).catch((thrown: unknown) => thrown);
      tell(`${(failed as { code: string }).code} ${(failed as { got: string }).got}`);
    }
    await store.close();
    process.exit();
}
setInterval(() => void held, 1 << 30);
