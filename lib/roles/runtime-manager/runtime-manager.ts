import type { Duplex } from 'node:stream';
import { clock, type Timer } from '../../core/clock.js';
import { asVeracruzError, VeracruzError } from '../../core/errors.js';
import { Lifecycle } from '../../core/lifecycle.js';
import { DirectoryStore, type FileStore } from '../../enclave/store/file-store.js';
import { joined, type Request, type Response } from '../../layers/bincode/index.js';
import { TLS_DEFAULTS } from '../../layers/tls/index.js';
import { type Address, type ConnectAddress, parseAddress } from '../../transports/address.js';
import { systemBinding } from '../../transports/console/device.js';
import { listenPipe, openPipe } from '../../transports/pipe.js';
import type { Listener, RetryOptions } from '../../transports/socket.js';
import { warnOfExposure } from '../link-privacy.js';
import { LinkTls } from '../link-tls.js';
import { logBadEnd, noLog } from '../options.js';
import { Accounts } from './accounts.js';
import { checkEnclave } from './enclave.js';
import { Enrolment } from './enrolment.js';
import { checkPolicyHash, Initialisation } from './initialisation.js';
import { LinkEndpoint, type PendingResponse } from './link.js';
import { type LinkPlace, LinkPlaces } from './link-places.js';
import { type CompleteOptions, completed, type GivenTrust, type RuntimeManagerOptions, storeOptionsOf, trustOf } from './options.js';
import { answerRequest } from './requests.js';
import { type SessionsLink, SessionTable } from './session-table.js';
import { TlsSession, type Waiting } from './tls-session.js';

export { RUNTIME_MANAGER_DEFAULTS, type RuntimeManagerOptions, type TrustOptions } from './options.js';

const LAYER = 'runtime-manager';
/** The layers whose errors say that the bytes of a link make no sense, or no whole. */
const UNREAD: ReadonlySet<string | undefined> = new Set(['bincode', 'frame']);
/** Milliseconds after which a manager that was asked to shut down does so, whether or not its Server has left. */
const SHUTDOWN_MS = 3000;

/** How long a manager that connects waits for its Server: 30 s, as the original does (wire spec §D). */
const CONNECT_RETRY: RetryOptions = Object.freeze({ tries: 300, intervalMs: 100, backoff: 1 });

/** The options, when all is known of them that can be without making anything. */
function checked(options: RuntimeManagerOptions): { readonly complete: CompleteOptions; readonly trust: GivenTrust | undefined } {
  const complete = completed(options);
  const trust = trustOf(complete);
  if (trust !== undefined) {
    checkPolicyHash(trust.policy, complete);
    checkEnclave(trust.policy, trust, complete);
  }
  return { complete, trust };
}

/**
 * Checks what `RuntimeManager.start` checks before it takes a port: for who has something else to make before that.
 *
 * @throws as `RuntimeManager.start`; MissingPackageError
 */
export async function checkOptions(options: RuntimeManagerOptions): Promise<void> {
  const { linkTls, listen, connect } = checked(options).complete;
  if (linkTls !== undefined) new LinkTls(linkTls, 'manager', noLog).close();
  if (connect === undefined && parseAddress(listen).kind === 'serial') await systemBinding();
}

/** What belongs to one link: its sessions end with it, and so does an attestation that it has begun. */
interface Link extends SessionsLink {
  /** By the ids of the wire. No other link can reach them. */
  readonly sessions: Map<number, TlsSession>;
  /** Undefined where the manager needs no attestation. */
  readonly enrolment: Enrolment | undefined;
  /** It has carried a request of a principal. */
  used: boolean;
}

/**
 * The Runtime Manager: answers the Server's bincode requests, and inside the TLS sessions that these carry, the
 * principals' protobuf requests, on a store of files, as far as the policy lets them (wire spec §D).
 *
 *     Attestation ─▶ Initialize ─▶ NewTlsSession, SendTlsData, GetTlsData …
 *
 * With an attester it opens no session before it is initialised. It is so once: a second Initialize may bring another
 * certificate, for the sessions of its own link, never another policy; nor may a store that was used under
 * one. Certificates must lead to the policy's `proxy_service_cert`.
 *
 * Who can reach the address that it listens at can speak to it: the link is private, or it has `linkTls`.
 */
export class RuntimeManager {
  readonly #options: CompleteOptions;
  readonly #store: FileStore;
  readonly #initialisation: Initialisation;
  /** Sessions have ids that count up from 1. */
  readonly #sessions: SessionTable<Link, TlsSession>;
  readonly #links = new Set<LinkEndpoint>();
  readonly #places: LinkPlaces;
  readonly #accounts: Accounts;
  readonly #linkTls: LinkTls | undefined;
  /** Ends what is on its way to become a link. */
  readonly #stop = new AbortController();
  /** A principal who shuts the manager down lets it drain (`active` of TlsData is false then). */
  readonly #life = new Lifecycle(
    LAYER,
    () => this.#close(),
    (error) => logBadEnd(this.#options.log, error),
  );
  #lastId = 0;
  #lastLink = 0;
  readonly #listener: Listener | undefined;
  #shutdown: Timer | undefined;

  private constructor(options: CompleteOptions, store: FileStore, listener: Listener | undefined, linkTls: LinkTls | undefined) {
    this.#options = options;
    this.#store = store;
    this.#listener = listener;
    this.#linkTls = linkTls;
    this.#places = new LinkPlaces(options);
    this.#accounts = new Accounts(options);
    const limits = { ...options, handshakeTimeoutMs: options.handshakeTimeoutMs ?? TLS_DEFAULTS.handshakeTimeoutMs };
    this.#sessions = new SessionTable(
      limits,
      () => this.#links.size,
      (session, link) => this.#drop(session.id, link),
    );
    this.#initialisation = new Initialisation({ ...options, store, shutdown: () => this.#requestShutdown() }, () => this.#life.serving);
  }

  /**
   * Checks its options; begins to listen, before it touches anything else, and opens the store.
   *
   * @throws InvalidOptionError, TransportError; AbortedError when `signal` fires first; FileStoreError for a store that
   * cannot be used, or belongs to another policy; PolicyError for a policy that is none
   */
  static async start(options: RuntimeManagerOptions): Promise<RuntimeManager> {
    const { complete, trust } = checked(options);
    const linkTls = complete.linkTls && new LinkTls(complete.linkTls, 'manager', complete.log);
    const early: Duplex[] = [];
    let accept = (pipe: Duplex): unknown => early.push(pipe.on('error', () => {}));
    let listener: Listener | undefined;
    let manager: RuntimeManager | undefined;
    let store: FileStore | undefined;
    try {
      listener = await listenerOf(complete, (pipe) => void accept(pipe));
      store = typeof options.store === 'string' ? await DirectoryStore.open(options.store, storeOptionsOf(complete)) : options.store;
      manager = new RuntimeManager(complete, store, listener, linkTls);
      if (trust !== undefined) await manager.#initialisation.begin(trust.policy, trust);
      const ready = manager;
      accept = (pipe) => ready.#accept(pipe);
      for (const pipe of early) void accept(pipe);
      await manager.#open();
    } catch (error) {
      for (const pipe of early) pipe.destroy();
      linkTls?.close();
      await (manager ?? listener)?.close();
      if (manager === undefined && typeof options.store === 'string') await store?.close();
      throw error;
    }
    await manager.#life.listening(options.signal);
    return manager;
  }

  async #open(): Promise<void> {
    const { connect } = this.#options;
    if (connect === undefined) return warnOfExposure(this.address, this.#linkTls !== undefined, this.#options.log);
    // The options were checked: it is a place to connect to.
    const address = parseAddress(connect) as ConnectAddress;
    await this.#accept(await openPipe(address, { signal: this.#options.signal, retry: CONNECT_RETRY }));
  }

  /** Where it listens, with the port that the system chose where 0 was asked. */
  get address(): Address {
    return this.#listener?.address ?? parseAddress(this.#options.connect ?? this.#options.listen);
  }

  /** TLS sessions that are open now. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Programs and pipelines that run now. */
  get running(): number {
    return this.#initialisation.enclave?.programs?.running ?? 0;
  }

  /** SHA-256 of the policy's text, 64 lowercase hex digits; undefined until the manager is initialised. */
  get policyHash(): string | undefined {
    return this.#initialisation.enclave?.policyHash;
  }

  /** Settles when the manager has closed: by `close()`, or because a principal shut it down. */
  get closed(): Promise<void> {
    return this.#life.closed;
  }

  /** Stops listening, ends sessions, links and running programs, closes the store if it opened it. */
  close(): Promise<void> {
    return this.#life.close();
  }

  /** As `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clock.clear(this.#shutdown);
    this.#stop.abort();
    this.#linkTls?.close();
    await this.#listener?.close();
    this.#sessions.close();
    for (const session of this.#sessions.sessions()) session.destroy();
    for (const link of this.#links) link.destroy();
    await this.#initialisation.end();
    if (typeof this.#options.store === 'string') await this.#store.close();
  }

  /** A connection has come about, or was made. It is closed where it can become no link. */
  async #accept(pipe: Duplex): Promise<void> {
    let place: LinkPlace | undefined;
    let refused = false;
    const refuse = ({ code, message }: VeracruzError) => {
      if (!refused) this.#options.log('warn', 'link refused', { code, reason: message });
      refused = true;
      place?.leave();
      pipe.on('error', () => {}).destroy();
    };
    try {
      // Until there is a link, whatever ends its place ends the connection.
      let end = refuse;
      place = this.#places.take((reason) => end(reason));
      const secure = this.#linkTls === undefined ? pipe : await this.#linkTls.secure(pipe, this.#stop.signal);
      end = this.#serve(secure, place);
    } catch (error) {
      refuse(asVeracruzError(error, { layer: LAYER }));
      if (this.#options.connect !== undefined) throw error;
    }
  }

  #tellClosed(error: Error | undefined, understood: boolean, sessions: number): void {
    const { dialect, frame, log } = this.#options;
    const unread = !understood && error instanceof VeracruzError && UNREAD.has(error.layer);
    const hint = `no request was understood before: does the Server speak the dialect ${dialect} in frames ${frame}?`;
    log(error === undefined ? 'info' : 'warn', 'link closed', { reason: error?.message, sessions, ...(unread && { hint }) });
  }

  /** Makes a link of a pipe; gives what ends it. */
  #serve(pipe: Duplex, place: LinkPlace): (reason: VeracruzError) => void {
    const { attester, connect } = this.#options;
    const enrolment = attester && new Enrolment({ ...this.#options, attester });
    const kept = this.#linkTls !== undefined || connect !== undefined || this.address.kind === 'serial';
    const proven = () => kept || link.used || enrolment?.initialised === true;
    const link: Link = { key: `link ${++this.#lastLink}`, proven, sessions: new Map(), enrolment, used: false };
    place.spare = () => !proven() && link.sessions.size === 0;
    // Anybody can open sessions; to have a principal in one is another thing.
    place.yields = () => !proven() && ![...link.sessions.values()].some(({ admitted }) => admitted);
    place.watch(pipe);
    const endpoint = new LinkEndpoint(
      pipe,
      this.#options,
      (request) => this.#answer(request, link),
      (error) => {
        place.leave();
        this.#links.delete(endpoint);
        this.#initialisation.left(enrolment);
        this.#tellClosed(error, endpoint.understood, link.sessions.size);
        // Who relays a session's bytes is gone: the session cannot go on.
        for (const id of link.sessions.keys()) this.#drop(id, link);
        // A manager that had connected has nobody to serve any more.
        if (!this.#life.serving || connect !== undefined) this.#life.end();
      },
    );
    this.#links.add(endpoint);
    this.#options.log('info', 'link opened');
    return (reason) => endpoint.destroy(reason);
  }

  #answer(request: Request, link: Link): Response | PendingResponse {
    // There is no default, so that a new kind of request does not compile until it has a case here.
    switch (request.kind) {
      case 'Attestation':
        return link.enrolment === undefined
          ? UNIMPLEMENTED
          : this.#initialisation.attest(link.enrolment, joined(request.challenge), request.deviceId);
      case 'Initialize':
        return link.enrolment === undefined
          ? UNIMPLEMENTED
          : this.#initialisation.initialize(link.enrolment, request.policy, request.chain.map(joined));
      case 'NewTlsSession':
        return this.#newSession(link);
      case 'SendTlsData':
        if (link.sessions.has(request.session)) this.#sessions.moved(request.session);
        return taken(link.sessions.get(request.session)?.feed(request.data) ?? false);
      case 'GetTlsDataNeeded':
        return this.#whenKnown(request.session, link, (needed) => ({ kind: 'TlsDataNeeded', needed }));
      case 'GetTlsData':
        return this.#whenKnown(request.session, link, (needed) =>
          // head has no question besides this one: an answer without data says what that would say.
          needed || this.#options.dialect !== 'head'
            ? this.#get(request.session, link)
            : { kind: 'TlsData', data: [], active: this.#life.serving },
        );
      case 'CloseTlsSession':
        // Of a session that is over already it is Success (wire spec §D).
        if (this.#sessions.has(request.session) && !link.sessions.has(request.session)) return status(false);
        this.#drop(request.session, link);
        return status(true);
      case 'ResetEnclave':
        return this.#reset(link);
    }
  }

  /** As the original: IceCap says yes, and the others do not know it (wire spec §D). What the manager guards stays. */
  #reset(link: Link): Response {
    if (this.#options.frame !== 'icecap4') return UNIMPLEMENTED;
    // The far end of a console is not seen to close: this is how its Server takes leave.
    for (const id of link.sessions.keys()) this.#drop(id, link);
    return status(true);
  }

  #newSession(link: Link): Response {
    const { enclave } = this.#initialisation;
    if (enclave === undefined || !this.#life.serving || !this.#sessions.room(link)) return status(false);
    const id = ++this.#lastId;
    const options = { maxBacklogBytes: this.#options.maxBacklogBytes, accounts: this.#accounts, origin: link.key };
    const session = new TlsSession(id, enclave.stackFor(link.enrolment), options, {
      answer: (request, principal, signal, refusal) => {
        link.used = true;
        return answerRequest(request, enclave, { principal: enclave.principal(principal), session: id, signal, refusal });
      },
      onEnd: (ended, error) => {
        if (error !== undefined)
          this.#options.log('warn', 'session failed', { session: id, code: error.code, layer: error.layer, reason: error.message });
        if (ended.over) this.#drop(id, link);
      },
    });
    this.#sessions.add(session, link);
    link.sessions.set(id, session);
    return { kind: 'TlsSession', session: id };
  }

  #requestShutdown(): void {
    this.#life.drain();
    this.#options.log('info', 'shutdown requested');
    void this.#initialisation.enclave?.programs?.end();
    // The Server closes the link when the answer is out; but the far end of a console is not seen to close.
    this.#shutdown ??= clock.setTimeout(() => this.#life.end(), SHUTDOWN_MS);
  }

  /** What waits; Fail when there is nothing (wire spec §D). */
  #get(id: number, link: Link): Response {
    const session = link.sessions.get(id);
    if (session === undefined) return status(false);
    const data = session.fetch(this.#options.maxAnswerBytes);
    if (data.length > 0) this.#sessions.moved(id);
    if (session.over) this.#drop(id, link);
    return data.length === 0 ? status(false) : { kind: 'TlsData', data, active: this.#life.serving };
  }

  /** Answers when it is known whether there is output: `answer` gets that. A session that is over has an end to tell. */
  #whenKnown(id: number, link: Link, answer: (needed: boolean) => Response): Response | PendingResponse {
    const session = link.sessions.get(id);
    if (session === undefined) return status(false);
    const respond = (needed: boolean) => (!needed && session.over ? status(false) : answer(needed));
    const needed = session.needed();
    if (typeof needed === 'boolean') return respond(needed);
    return { response: needed.needed.then(respond), slow: needed.slow, hurry: () => needed.hurry() };
  }

  #drop(id: number, link: Link): void {
    const session = link.sessions.get(id);
    link.sessions.delete(id);
    this.#sessions.delete(id);
    session?.destroy();
  }
}

/** Where Servers connect; undefined for a manager that connects itself. */
async function listenerOf({ listen, connect, hello, log }: CompleteOptions, onPipe: (pipe: Duplex) => void): Promise<Listener | undefined> {
  if (connect !== undefined) return undefined;
  const onTrouble = (error: VeracruzError) => log('warn', 'console', { code: error.code, reason: error.message });
  return listenPipe(parseAddress(listen), onPipe, { console: { hello: hello ?? false, onTrouble } });
}

const UNIMPLEMENTED: Response = Object.freeze({ kind: 'Status', status: 'Unimplemented' });

/** The answer to SendTlsData. */
function taken(fed: boolean | Waiting): Response | PendingResponse {
  return typeof fed === 'boolean' ? status(fed) : { response: fed.success.then(status), hurry: () => fed.hurry() };
}

function status(success: boolean): Response {
  return { kind: 'Status', status: success ? 'Success' : 'Fail' };
}
