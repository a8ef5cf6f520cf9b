import { RequestFailedError, VeracruzError } from '../../../lib/core/errors.js';
import { DirectoryStore } from '../../../lib/enclave/store/file-store.js';
import type { FileStore } from '../../../lib/enclave/store/store-contract.js';
import { VeracruzClient } from '../../../lib/roles/client/client.js';
import { RuntimeManager } from '../../../lib/roles/runtime-manager/runtime-manager.js';
import { VeracruzServer } from '../../../lib/roles/server/server.js';
import type { Connection, Direction } from '../../simulate/connection.js';
import { contentOf } from '../../simulate/contents.js';
import type { Credentials } from '../../simulate/credentials.js';
import { Disk } from '../../simulate/disk.js';
import { nameOf } from '../../simulate/network.js';
import { PlanRandom } from '../../simulate/random.js';
import { Simulator } from '../../simulate/simulator.js';
import type { Road, Way } from './cases.js';

/** Virtual milliseconds in which a session must be over: all deadlines of the roles, one after the other, and a reserve. */
const SESSION_MS = 900_000;
const FILE = '/c0/file';
const WRITTEN = contentOf(1, 700);
const APPENDED = contentOf(2, 300);

/** How a session ended: `right` when each call had the right answer, else the code of the first error. */
export type Ending = { readonly end: string; readonly wrong?: string };

export interface SessionOptions {
  readonly road: Road;
  readonly credentials: Credentials;
  readonly epoch: number;
  readonly seed: number;
  /** Put between the manager and its store. Default none. */
  readonly wrap?: (store: FileStore) => FileStore;
  /** Called with each way of the session's two connections, when they come about. */
  readonly onWay: (way: Way, direction: Direction, connection: Connection) => void;
}

/** What was acknowledged of the session's calls. */
interface Done {
  written: boolean;
  appended: boolean;
}

/** One session of one client: connects, writes, appends, reads, and leaves. Everything is made for it, and ends with it. */
export async function runSession(options: SessionOptions): Promise<Ending> {
  const simulator = new Simulator(new PlanRandom(options.seed, 'sweep'), options.epoch, () => {
    const usual = { latencyMs: 1, rate: 1000 };
    return { ...usual, usual, jitterMs: 0, silent: false };
  });
  let wrong: string | undefined;
  const unhandled = (error: unknown) => {
    wrong ??= `uncaught: ${(error as Error).stack}`;
  };
  process.on('unhandledRejection', unhandled);
  process.on('uncaughtException', unhandled);
  await simulator.enter();
  watchWays(simulator, options.onWay);
  try {
    const ending = await simulator.until(session(simulator, options), 'the session', SESSION_MS);
    await simulator.quiet();
    const leftover = simulator.network.connections.size;
    if (leftover > 0) wrong ??= `${leftover} connections are left`;
    return wrong === undefined ? ending : { ...ending, wrong };
  } catch (error) {
    return { end: 'violation', wrong: wrong ?? (error as Error).message };
  } finally {
    simulator.leave();
    process.off('unhandledRejection', unhandled);
    process.off('uncaughtException', unhandled);
  }
}

/** Tells of the first connection of the client, and of the first link. */
function watchWays({ network }: Simulator, onWay: SessionOptions['onWay']): void {
  const seen = new Set<string>();
  network.onConnection = (connection) => {
    const from = nameOf(connection.forth.from.place);
    if (seen.has(from)) return;
    seen.add(from);
    onWay(from === 'c0' ? 'client to Server' : 'Server to manager', connection.forth, connection);
    onWay(from === 'c0' ? 'Server to client' : 'manager to Server', connection.back, connection);
  };
}

async function session(simulator: Simulator, { road, credentials, wrap = (store) => store }: SessionOptions): Promise<Ending> {
  const dialect = road === '2207' ? '2207' : 'head';
  const disk = new Disk(new PlanRandom(1));
  const store = await DirectoryStore.open(`${simulator.files.mount(disk)}/store`);
  const manager = await RuntimeManager.start({
    listen: 'tcp://m0:6000',
    ...credentials.manager,
    policy: credentials.policy,
    store: wrap(store),
    dialect,
  });
  const server = await VeracruzServer.start({
    listen: 'tcp://s0:3011',
    direct: 'tcp://s0:3012',
    runtime: 'tcp://s0-m0:6000',
    dialect,
  });
  const done: Done = { written: false, appended: false };
  const url = road === 'head direct' ? 'tcp://c0-s0:3012' : 'http://c0-s0:3011';
  const ending = await client(url, dialect, credentials, done);
  const wrong = ending.wrong ?? (await compare(store, done));
  await server.close();
  await manager.close();
  await store.close();
  return wrong === undefined ? ending : { end: ending.end, wrong };
}

async function client(url: string, dialect: '2207' | 'head', { clients, authority }: Credentials, done: Done): Promise<Ending> {
  let client: VeracruzClient | undefined;
  try {
    const identity = clients[0] as { certificate: string; key: string };
    client = await VeracruzClient.connect({ url, dialect, identity, authority: authority.certificate });
    await client.writeFile(FILE, WRITTEN);
    done.written = true;
    await client.appendFile(FILE, APPENDED);
    done.appended = true;
    const read = Buffer.concat((await (await client.readFile(FILE)).toArray()) as Buffer[]);
    await client.close();
    return read.equals(Buffer.concat([WRITTEN, APPENDED]))
      ? { end: 'right' }
      : { end: 'violation', wrong: `${read.length} other bytes were read` };
  } catch (error) {
    await client?.close();
    if (error instanceof VeracruzError && error.code !== 'ERR_VC' && !(error instanceof RequestFailedError)) return { end: error.code };
    return { end: 'violation', wrong: `not an error that the session explains: ${(error as Error).stack}` };
  }
}

/** What the store has must be what was sent, as far as it was acknowledged; what was not may be there, whole. */
async function compare(store: DirectoryStore, { written, appended }: Done): Promise<string | undefined> {
  const contents = await store.read(FILE).then(
    async ({ stream }) => Buffer.concat((await stream.toArray()) as Buffer[]),
    () => undefined,
  );
  if (contents === undefined) return written ? 'a file that was acknowledged is not there' : undefined;
  const both = Buffer.concat([WRITTEN, APPENDED]);
  const good = contents.equals(both) || (contents.equals(WRITTEN) && !appended);
  return good ? undefined : `the file has ${contents.length} other bytes`;
}
