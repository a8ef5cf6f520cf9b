/**
 * The conformance kit: plays the other side against any implementation of a role, and says for each case whether that does
 * what docs/wire.md says. It knows no role of this project; what it plays is made of layers, formats and sockets.
 */
import { clock } from '../core/clock.js';
import { TimeoutError } from '../core/errors.js';
import { ATTESTATION_CASES, AttestationContext } from './attestation/index.js';
import type { Case } from './case.js';
import { CLIENT_CASES, ClientContext } from './client/index.js';
import { MANAGER_CASES, ManagerContext } from './manager/index.js';
import { type Choice, choose, type Report, type Running, run } from './run.js';
import { SERVER_CASES, ServerContext } from './server/index.js';
import { checkPeerAddress, checkTarget, type Target } from './target.js';

export { VERDICTS, type Verdict } from './case.js';
export type { Ended, StartClient } from './client/index.js';
export {
  type Material,
  makeMaterial,
  managerCredentials,
  PREPARATION_DEFAULTS,
  type Preparation,
  readMaterial,
  writeMaterial,
} from './material.js';
export { choose, type Report } from './run.js';
export { CONFORMANCE_DEFAULTS } from './scope.js';
export { checkPeerAddress, type Target } from './target.js';

/** Every role that can be tried, and its cases. */
export const CONFORMANCE_CASES: Readonly<Record<TargetName, readonly Case<never>[]>> = Object.freeze({
  server: SERVER_CASES,
  manager: MANAGER_CASES,
  client: CLIENT_CASES,
  attestation: ATTESTATION_CASES,
});

export type TargetName = 'server' | 'manager' | 'client' | 'attestation';
export const TARGET_NAMES = Object.freeze(Object.keys(CONFORMANCE_CASES) as TargetName[]);

export type Trying = Omit<Running, 'target' | 'dialect' | 'address'> &
  Omit<Choice, 'dialect'> & {
    /** Called when the kit listens where the peer is to connect: the peer may be started now. Awaited. */
    readonly onListening?: (place: Listening) => unknown;
    /** Milliseconds that a Server has to connect to its manager. Default 60,000. */
    readonly startMs?: number;
  };

/** Where the kit listens. */
export interface Listening {
  /** As the Runtime Manager, for a Server; as the Server, for a client. */
  readonly port: number | undefined;
  /** As the Proxy Attestation Server. */
  readonly attestationPort: number | undefined;
}

const START_MS = 60_000;
const LOOK_MS = 20;

/**
 * Tries a peer, case by case. Never throws for what the peer does.
 *
 * @throws InvalidOptionError for a case that does not exist, an address or a key that is none; PolicyError; TransportError when
 * the kit cannot listen; TimeoutError when a Server does not connect to its manager
 */
export async function conform(target: Target, trying: Trying): Promise<Report> {
  checkTarget(target);
  switch (target.role) {
    case 'server':
      return conformServer(target, trying);
    case 'manager': {
      const context = new ManagerContext(target);
      return cases(MANAGER_CASES, context, target, trying).finally(() => context.close());
    }
    case 'client': {
      const chosen = choose(CLIENT_CASES, { ...trying, dialect: target.dialect });
      const context = await ClientContext.start(target);
      await trying.onListening?.({ port: portOf(context.place.boundAt(target.address)), attestationPort: undefined });
      return run(chosen, context, runningOf(target, trying)).finally(() => context.close());
    }
    case 'attestation':
      return cases(ATTESTATION_CASES, new AttestationContext(target), target, trying);
  }
}

async function conformServer(target: Extract<Target, { readonly role: 'server' }>, trying: Trying): Promise<Report> {
  const chosen = choose(SERVER_CASES, { ...trying, dialect: target.dialect });
  const context = await ServerContext.start(target);
  try {
    const { attestation } = target;
    await trying.onListening?.({
      port: portOf(context.manager.address),
      attestationPort: attestation === undefined ? undefined : portOf(context.attestation?.addressOf(attestation)),
    });
    // Where it listens may be known only when it is started, and that is when the kit listens.
    checkPeerAddress(target.address);
    await linked(context, trying);
    return await run(chosen, context, runningOf(target, trying));
  } finally {
    await context.close();
  }
}

/** Waits until the Server is at its manager. */
async function linked({ manager }: ServerContext, { startMs = START_MS, signal }: Trying): Promise<void> {
  const deadline = clock.monotonic() + startMs;
  while (!manager.linked && signal?.aborted !== true) {
    if (clock.monotonic() > deadline) {
      throw new TimeoutError(`no Server connected to its Runtime Manager in ${startMs} ms`, { layer: 'conformance', limit: startMs });
    }
    await clock.sleep(LOOK_MS);
  }
}

function cases<C>(all: readonly Case<C>[], context: C, target: Target, trying: Trying): Promise<Report> {
  return run(choose(all, { ...trying, dialect: target.dialect }), context, runningOf(target, trying));
}

function runningOf({ role, dialect, address }: Target, { waitMs, caseMs, signal, onResult }: Trying): Running {
  return { target: role, dialect, address, waitMs, caseMs, ...(signal && { signal }), ...(onResult && { onResult }) };
}

function portOf(address: object | undefined): number | undefined {
  return address !== undefined && 'port' in address ? (address.port as number) : undefined;
}
