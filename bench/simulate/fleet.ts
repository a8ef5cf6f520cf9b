import { clock } from '../../lib/core/clock.js';
import { FileStoreError } from '../../lib/core/errors.js';
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';
import type { FileStore } from '../../lib/enclave/store/store-contract.js';
import { AttestationServer } from '../../lib/roles/attestation-server/server.js';
import type { Log } from '../../lib/roles/options.js';
import { RuntimeManager } from '../../lib/roles/runtime-manager/runtime-manager.js';
import { VeracruzServer } from '../../lib/roles/server/server.js';
import type { Credentials } from './credentials.js';
import { Disk } from './disk.js';
import type { Plan } from './plan.js';
import type { Simulator } from './simulator.js';

/** Milliseconds after which a role that could not start is started again, as a supervisor does. */
const START_AGAIN_MS = 500;

type Role = RuntimeManager | VeracruzServer | AttestationServer;

/** What a test may put between a manager and its store. */
export type StoreWrapper = (store: FileStore) => FileStore;

/** One role of the fleet, and its supervisor: a role that ends is started again, until the fleet ends. */
class Place {
  readonly name: string;
  life = 0;
  role: Role | undefined;
  disk: Disk;
  store: FileStore | undefined;
  path: string | undefined;
  /** The role is kept down until then, virtual time. */
  downUntil = 0;
  stopped = false;
  running: Promise<void> = Promise.resolve();
  /** Ends a role that still starts: a Server may wait for its managers for ever. */
  starting = new AbortController();

  constructor(name: string, disk: Disk) {
    this.name = name;
    this.disk = disk;
  }

  get host(): string {
    return `${this.name}.${this.life}`;
  }
}

/** Servers, managers and an attestation server in this process, each restarted when it has ended. */
export class Fleet {
  readonly #plan: Plan;
  readonly #simulator: Simulator;
  readonly #credentials: Credentials;
  readonly #wrap: StoreWrapper;
  readonly #places = new Map<string, Place>();
  /** Roles that were killed: their code may still run, and must come to an end, too. */
  readonly #killed: Promise<unknown>[] = [];
  /** Which manager has the newest session of a client, by the number of the client. */
  readonly #managers = new Map<number, string>();
  readonly log: (place: string) => Log;
  #ending = false;

  constructor(
    plan: Plan,
    simulator: Simulator,
    credentials: Credentials,
    log: (place: string) => Log,
    wrap: StoreWrapper = (store) => store,
  ) {
    this.#plan = plan;
    this.#simulator = simulator;
    this.#credentials = credentials;
    this.#wrap = wrap;
    this.log = log;
    const letters = [['a', plan.attested ? 1 : 0] as const, ['m', plan.managers] as const, ['s', plan.servers] as const];
    for (const [letter, count] of letters) {
      for (let i = 0; i < count; i++) this.#places.set(`${letter}${i}`, new Place(`${letter}${i}`, new Disk(simulator.random.branch())));
    }
  }

  get places(): Iterable<Place> {
    return this.#places.values();
  }

  place(name: string): Place {
    return this.#places.get(name) as Place;
  }

  start(): void {
    for (const place of this.#places.values()) this.#supervise(place);
  }

  /** The manager that has the session of a client that has just connected; undefined when that is not known. */
  managerOf(client: number): string | undefined {
    return this.#managers.get(client);
  }

  /** All roles run, and each Server has all of its managers. */
  get whole(): boolean {
    for (const { role } of this.#places.values()) {
      if (role === undefined) return false;
      if (role instanceof VeracruzServer && role.managers.some(({ up }) => !up)) return false;
    }
    return true;
  }

  /** Throws when a limit does not hold. */
  check(): void {
    for (const { name, role } of this.#places.values()) {
      if (role instanceof AttestationServer || role === undefined) continue;
      if (role.sessions > this.#plan.maxSessions)
        throw new Error(`${name} has ${role.sessions} sessions, at most ${this.#plan.maxSessions} may be`);
    }
  }

  /** The process of a role is gone at once; its disk stays, and may lose what was not synced. */
  kill(name: string, downMs: number, powerFails: boolean): void {
    const place = this.place(name);
    this.#simulator.network.kill(place.host);
    place.downUntil = clock.monotonic() + downMs;
    const { role, store } = place;
    place.disk = place.disk.taken(powerFails);
    place.path = undefined;
    place.life++;
    place.role = undefined;
    place.store = undefined;
    place.starting.abort();
    // In a process of its own all of this would be gone. Here it comes to its end, at a disk and a network that nobody sees.
    this.#forget(role, store);
  }

  #forget(role: Role | undefined, store: FileStore | undefined): void {
    this.#killed.push(Promise.resolve(role?.close()).then(() => this.#closeStore(store)));
  }

  /** A disk may fail here, too; then the store says so, and the lock is not in the way of the next one. */
  async #closeStore(store: FileStore | undefined): Promise<void> {
    await store?.close().catch((error: Error) => {
      if (!(error instanceof FileStoreError)) throw error;
    });
  }

  /** A role is closed in order, and started again. */
  async restart(name: string, downMs: number): Promise<void> {
    const place = this.place(name);
    place.downUntil = clock.monotonic() + downMs;
    place.starting.abort();
    await place.role?.close();
  }

  /** Closes everything, Servers first. Settles when all that ever ran has ended. */
  async end(): Promise<void> {
    this.#ending = true;
    for (const letter of ['s', 'm', 'a']) {
      await Promise.all([...this.#places.values()].filter(({ name }) => name.startsWith(letter)).map((place) => this.#stop(place)));
    }
    await Promise.all(this.#killed);
  }

  async #stop(place: Place): Promise<void> {
    place.stopped = true;
    place.starting.abort();
    await place.role?.close();
    await place.running;
  }

  #supervise(place: Place): void {
    place.running = this.#run(place);
  }

  async #run(place: Place): Promise<void> {
    while (!place.stopped) {
      const { life } = place;
      const wait = place.downUntil - clock.monotonic();
      if (wait > 0) {
        await clock.sleep(wait);
        continue;
      }
      place.starting = new AbortController();
      try {
        const role = await this.#make(place);
        if (place.life !== life || this.#ending) {
          // It was killed while it started.
          this.#forget(role, undefined);
          continue;
        }
        place.role = role;
        await role.closed;
        // A killed role closes, too; its place has another life by then.
        if (place.life !== life) continue;
        place.role = undefined;
        const { store } = place;
        place.store = undefined;
        await this.#closeStore(store);
      } catch (error) {
        this.log(place.name)('info', 'not started', { reason: (error as Error).message });
        await clock.sleep(START_AGAIN_MS);
      }
    }
  }

  #make(place: Place): Promise<Role> {
    if (place.name.startsWith('m')) return this.#manager(place);
    return place.name.startsWith('s') ? this.#server(place) : this.#attestation(place);
  }

  async #manager(place: Place): Promise<RuntimeManager> {
    const { host, life } = place;
    place.path ??= this.#simulator.files.mount(place.disk);
    const store = await DirectoryStore.open(`${place.path}/store`);
    try {
      const { attester, manager, policy } = this.#credentials;
      const role = await RuntimeManager.start({
        listen: `tcp://${host}:6000`,
        ...(this.#plan.attested ? { attester } : { ...manager, policy }),
        store: this.#wrap(store),
        dialect: this.#plan.dialect,
        maxSessions: this.#plan.maxSessions,
        log: this.#heard(place),
      });
      if (place.life === life) place.store = store;
      else this.#killed.push(role.closed.then(() => this.#closeStore(store)));
      return role;
    } catch (error) {
      await this.#closeStore(store);
      throw error;
    }
  }

  /** The log of a manager, which tells where a client's session is: a client asks for the policy's hash when it connects. */
  #heard({ host, name, life }: Place): Log {
    const told = this.log(host);
    return (level, event, figures = {}) => {
      told(level, event, figures);
      if (figures.request === 'request_policy_hash' && this.place(name).life === life) this.#managers.set(Number(figures.identity), name);
    };
  }

  #server({ host, starting }: Place): Promise<VeracruzServer> {
    const { attested, dialect, managers, maxSessions } = this.#plan;
    return VeracruzServer.start({
      listen: `tcp://${host}:3011`,
      direct: `tcp://${host}:3012`,
      runtime: Array.from({ length: managers }, (_, i) => `tcp://${host}-m${i}:6000`),
      ...(attested && { policy: this.#credentials.policy, attestation: `http://${host}-a0:3010` }),
      dialect,
      maxSessions,
      log: this.log(host),
      signal: starting.signal,
    });
  }

  #attestation({ host }: Place): Promise<AttestationServer> {
    const { authority } = this.#credentials;
    return AttestationServer.start({
      listen: `tcp://${host}:3010`,
      authority,
      registry: this.#credentials.registry(),
      log: this.log(host),
    });
  }
}
