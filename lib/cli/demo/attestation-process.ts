/**
 * The demo's attestation server, in a process of its own. Its registry is in memory, because it is not needed after the demo,
 * and creating one in a folder takes longer.
 */
import { setFlagsFromString } from 'node:v8';
import { DeviceRegistry } from '../../attestation/registry/index.js';
import { NotReadyError } from '../../core/errors.js';
import { AttestationServer } from '../../roles/attestation-server/server.js';
import { stderrLog } from '../role-process.js';
import { answerCalls } from './calls.js';

export interface AttestationTask {
  readonly authority: { readonly certificate: string; readonly key: string };
  /** Public key of the one device, PEM. */
  readonly deviceKey: string;
  /** The only runtime hash that is allowed, 64 hex digits. */
  readonly runtimeHash: string;
}

/** A device that was attested. */
export interface Attested {
  readonly deviceId: number;
  /** 64 hex digits. */
  readonly runtimeHash: string;
}

// Creating the WebAssembly database runs most of its code only once. Without V8's optimisation it takes a third less time.
setFlagsFromString('--liftoff-only');

let registry: DeviceRegistry;

const methods = {
  /** Starts the server. Returns its URL. */
  async start({ authority, deviceKey, runtimeHash }: AttestationTask): Promise<string> {
    registry = await DeviceRegistry.open({ memory: true });
    await registry.enrollKey(deviceKey, { label: 'demo' });
    await registry.allowRuntime('linux', runtimeHash, { label: 'demo' });
    const server = await AttestationServer.start({ listen: 'tcp://127.0.0.1:0', authority, registry, log: stderrLog('warn') });
    return server.url;
  },

  /** The only device. Throws NotReadyError until it was attested. */
  async attested(_: undefined): Promise<Attested> {
    const [device] = await registry.listDevices(1);
    if (device === undefined) throw new NotReadyError('nobody is attested', { layer: 'demo' });
    return { deviceId: device.deviceId, runtimeHash: device.runtimeHash };
  },
};

export type AttestationMethods = typeof methods;

answerCalls(methods);
