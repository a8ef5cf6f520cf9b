/** How a case reaches the Server that is tried: the kit is its clients, its Runtime Manager and its attestation server. */

import { clock } from '../../core/clock.js';
import { CaseFailed, CaseSkipped, expect, expectBytes } from '../case.js';
import type { Material } from '../material.js';
import type { LinkSettings } from '../peers/link.js';
import { PlayedAttestation } from '../peers/played-attestation.js';
import { type Manners, PlayedManager } from '../peers/played-manager.js';
import { ADMISSION_BYTES, clientHello, FLIGHT_BYTES, type PlayedSession, record } from '../peers/played-session.js';
import type { Scope } from '../scope.js';
import { DirectVisit, HttpVisit, type Visit } from './visit.js';

export interface ServerTarget extends LinkSettings {
  /** Where its clients connect: `http://host:port`; in head `tcp://host:port`. */
  readonly address: string;
  /** Where the kit is its Runtime Manager: `tcp-listen://host:port`, or `tcp://host:port` where the Server listens. */
  readonly manager: string;
  /** Where the kit is its Proxy Attestation Server: `tcp-listen://host:port`. Undefined: it attests nobody. */
  readonly attestation: string | undefined;
  /** It does not take a new link in the place of a lost one, as an original one. */
  readonly singleLink: boolean;
  readonly material: Material;
}

/** A client, and the session that it has at the manager. */
export interface Open<V extends Visit = Visit> {
  readonly client: V;
  readonly session: PlayedSession;
}

/** Milliseconds between two tries of a client while no manager is in service. */
const AGAIN_MS = 50;

export class ServerContext {
  readonly target: ServerTarget;
  readonly manager: PlayedManager;
  readonly attestation: PlayedAttestation | undefined;
  readonly #end: AbortController;

  private constructor(target: ServerTarget, manager: PlayedManager, attestation: PlayedAttestation | undefined, end: AbortController) {
    this.target = target;
    this.manager = manager;
    this.attestation = attestation;
    this.#end = end;
  }

  /** Listens where the Server expects its manager and its attestation server. @throws TransportError */
  static async start(target: ServerTarget): Promise<ServerContext> {
    const end = new AbortController();
    const manager = await PlayedManager.start(target.manager, target, end.signal);
    const { authority, runtimeHash } = target.material;
    const vouching = { dialect: target.dialect, authority, runtimeHash, csr: () => manager.evidence?.csr };
    const { attestation } = target;
    try {
      const played = attestation === undefined ? undefined : await PlayedAttestation.start(attestation, vouching, end.signal);
      return new ServerContext(target, manager, played, end);
    } catch (error) {
      end.abort();
      throw error;
    }
  }

  close(): Promise<void> {
    this.#end.abort();
    return Promise.resolve();
  }

  /** The manager has these manners until the case is over. */
  behave(scope: Scope, manners: Manners): void {
    this.manager.manners = manners;
    scope.onEnd(() => {
      this.manager.manners = {};
    });
  }

  /** A case that breaks the link. @throws CaseSkipped where there will be no other */
  needRelink(): void {
    if (this.target.singleLink) throw new CaseSkipped('needs a Server that takes a new link (without --single-link)');
  }

  /** A client that has connected, and sent nothing. */
  connect(scope: Scope): Promise<Visit> {
    return this.target.dialect === 'head' ? DirectVisit.connect(this.target.address, scope) : HttpVisit.connect(this.target.address, scope);
  }

  connectHttp(scope: Scope): Promise<HttpVisit> {
    return HttpVisit.connect(this.target.address, scope);
  }

  /** A client whose handshake is over, as far as the Server can see. @throws CaseFailed */
  async open(scope: Scope): Promise<Open> {
    return this.#open(scope, () => this.connect(scope));
  }

  /** @param showsSecret as our client does; false: as an original one, which knows of none */
  async openHttp(scope: Scope, showsSecret = true): Promise<Open<HttpVisit>> {
    return this.#open(scope, async () => {
      const client = await this.connectHttp(scope);
      client.showsSecret = showsSecret;
      return client;
    });
  }

  async #open<V extends Visit>(scope: Scope, connect: () => Promise<V>): Promise<Open<V>> {
    const { client, hello } = await this.#greet(scope, connect);
    const session = this.manager.sessionWith(hello);
    expect(session !== undefined, 'no session at the manager has the ClientHello');
    await client.exchange(record(74), ADMISSION_BYTES);
    return { client, session };
  }

  /** Says hello until it is answered: behind a lost link it takes a moment until the manager is in service again. */
  async #greet<V extends Visit>(scope: Scope, connect: () => Promise<V>): Promise<{ readonly client: V; readonly hello: Buffer }> {
    const deadline = clock.monotonic() + scope.waitMs;
    for (;;) {
      const [client, hello] = [await connect(), clientHello()];
      try {
        await client.exchange(hello, FLIGHT_BYTES);
        return { client, hello };
      } catch (error) {
        const notYet = error instanceof CaseFailed && /answered with 5\d\d|ended/.test(error.message);
        if (!notYet || clock.monotonic() > deadline) throw error;
      }
      client.leave();
      await clock.sleep(AGAIN_MS);
    }
  }

  /** A record goes to the manager and comes back. @throws CaseFailed */
  async echoes(client: Visit, length = 100): Promise<void> {
    const sent = record(length);
    expectBytes('the output', await client.exchange(sent, sent.length), sent);
  }

  /** The Server still serves new clients. @throws CaseFailed */
  async serves(scope: Scope): Promise<void> {
    await this.echoes((await this.open(scope)).client);
  }
}
