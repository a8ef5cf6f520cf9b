/** How a case meets the client that is tried: once a case, the client comes and does what it does. */
import type { SecureContextOptions } from 'node:tls';
import { clock } from '../../core/clock.js';
import { InvalidOptionError } from '../../core/errors.js';
import { policyHash } from '../../enclave/policy/index.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import { CaseFailed, expect } from '../case.js';
import { type Material, managerCredentials, need, policyOf } from '../material.js';
import { suiteOf } from '../peers/tls.js';
import type { Scope } from '../scope.js';
import { type Manners, Place, type RunLog } from './place.js';

/** How a run of the client ended; undefined where the kit does not know. */
export interface Ended {
  readonly ok: boolean;
  /** What it said. */
  readonly said: string;
}

/** Starts the client once, and settles when it is over. It must end when `signal` fires. */
export type StartClient = (signal: AbortSignal) => Promise<Ended>;

export interface ClientTarget {
  /** Where the kit listens: `tcp-listen://host:port`. */
  readonly address: string;
  readonly dialect: Dialect;
  readonly material: Material;
  /** Undefined: somebody else starts it again and again. */
  readonly start: StartClient | undefined;
  /** Milliseconds without a byte after which a run is over that nobody else ends. */
  readonly idleMs: number;
}

export interface Run extends RunLog {
  readonly ended: Ended | undefined;
  /** The client was still there when the time was over. */
  readonly hung: boolean;
}

/** Milliseconds that a client has to end when it is told to. */
const END_MS = 5000;

export class ClientContext {
  readonly target: ClientTarget;
  readonly place: Place;
  readonly #end: AbortController;
  #usual: Promise<readonly string[]> | undefined;

  private constructor(target: ClientTarget, place: Place, end: AbortController) {
    this.target = target;
    this.place = place;
    this.#end = end;
  }

  /** Listens. @throws TransportError; InvalidOptionError without a policy */
  static async start(target: ClientTarget): Promise<ClientContext> {
    const end = new AbortController();
    const { policy } = target.material;
    if (policy === undefined) throw new InvalidOptionError('a client needs a policy (--policy or --material)', { expected: 'policy' });
    const hash = policyHash(policy);
    return new ClientContext(target, await Place.start(target.address, target.dialect, hash, end.signal), end);
  }

  close(): Promise<void> {
    this.#end.abort();
    return Promise.resolve();
  }

  /** A manager that the client must take: a certificate of the policy's authority, the policy's suite, TLS 1.3. */
  tls(changes: SecureContextOptions = {}): SecureContextOptions {
    const { material } = this.target;
    const authority = need(material.authority, 'the authority (--ca-cert and --ca-key, or --material)');
    const { certificate, key } = managerCredentials({ authority, runtimeHash: material.runtimeHash });
    return {
      cert: certificate,
      key,
      ca: policyOf(material).identities.map((identity) => identity.certificate),
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      ciphers: suiteOf(material),
      ...changes,
    };
  }

  /** One run of the client to its end, and what is known of it. @throws CaseFailed when no client comes, or it hangs */
  async run(scope: Scope, manners: Partial<Manners> = {}): Promise<Run> {
    const run = await this.attempt(scope, manners);
    // Where the kit does not start the client, a connection that rests may be one that the client keeps.
    if (run.hung && this.target.start !== undefined)
      throw new CaseFailed(`the client hangs; it asked for ${armsOf(run).join(', ') || 'nothing'}`);
    return run;
  }

  /** One run of the client, which is ended when the time is over. @throws CaseFailed when no client comes */
  async attempt(scope: Scope, manners: Partial<Manners>, ms: number = scope.waitMs): Promise<Run> {
    const log = this.place.begin({ tls: this.tls(), ...manners });
    // A client comes when it is started, so that none came says nothing of the next.
    scope.heard = true;
    try {
      const { start } = this.target;
      const over = await (start === undefined ? this.#outlast(scope, log) : this.#start(scope, log, start, ms));
      return { ...log, ...over };
    } finally {
      this.place.end();
    }
  }

  async #start(scope: Scope, log: RunLog, start: StartClient, ms: number): Promise<Pick<Run, 'ended' | 'hung'>> {
    const end = new AbortController();
    const ending = start(AbortSignal.any([scope.signal, end.signal]));
    let early: Ended | undefined;
    void ending.then(
      (ended) => {
        early = ended;
      },
      () => {},
    );
    try {
      await scope.until('connection of the client', () => log.connected > 0 || early !== undefined);
      if (log.connected === 0) throw new CaseFailed(`the client ended without a connection: ${early?.said || 'it did not say why'}`);
      const settled = await scope.settles(ending, ms);
      return { ended: settled?.value, hung: settled === undefined };
    } finally {
      end.abort();
      this.place.end();
      await scope.settles(ending, END_MS).catch(() => {});
    }
  }

  /** Nobody says when the client is over: it has no connection any more, or says nothing for a while. */
  async #outlast(scope: Scope, log: RunLog): Promise<Pick<Run, 'ended' | 'hung'>> {
    await scope.until('connection of a client', () => log.connected > 0);
    const { idleMs } = this.target;
    await scope.until('end of the client', () => clock.monotonic() - log.last > (log.connections === 0 ? idleMs / 4 : idleMs));
    return { ended: undefined, hung: log.connections > 0 };
  }

  /** What the client asks for when all is well. */
  async usual(scope: Scope): Promise<readonly string[]> {
    this.#usual ??= this.run(scope).then((run) => {
      expect(run.took.length > 0, `a client that is served makes no request: ${whyOf(run)}`);
      return armsOf(run);
    });
    return this.#usual.catch((error: unknown) => {
      this.#usual = undefined;
      throw error;
    });
  }

  /** A run in which the client must do all that it does when all is well. @throws CaseFailed */
  async same(scope: Scope, manners: Partial<Manners>): Promise<Run> {
    const usual = await this.usual(scope);
    const run = await this.run(scope, manners);
    const arms = armsOf(run);
    expect(arms.join() === usual.join(), `it asked for ${arms.join(', ') || 'nothing'}, not for ${usual.join(', ')}: ${whyOf(run)}`);
    expect(run.ended?.ok !== false, `the client failed: ${whyOf(run)}`);
    return run;
  }

  /** A run in which the client must not send a byte of data. @throws CaseFailed */
  async nothing(scope: Scope, manners: Partial<Manners>): Promise<Run> {
    await this.usual(scope);
    const run = await this.run(scope, manners);
    if (run.records.length > 0) throw new CaseFailed(`${run.records.join(', ')} bytes of plaintext were sent: ${armsOf(run).join(', ')}`);
    expect(run.ended?.ok !== true, 'the client reports success');
    return run;
  }
}

export function armsOf({ took }: RunLog): string[] {
  return took.map(({ message }) => message.oneof ?? 'nothing');
}

/** What there is to say of a run that went wrong. */
export function whyOf({ ended, faults }: Run): string {
  return [...faults, ended?.said ?? ''].filter((text) => text !== '').join('; ') || 'it did not say why';
}
