/**
 * The demo's attestation server, a process of its own. Its registry is in memory, because one in a folder takes longer to
 * make, and nothing of it is to stay.
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
  /** The one runtime that is let in, 64 hex digits. */
  readonly runtimeHash: string;
}

/** Who has attested himself. */
export interface Attested {
  readonly deviceId: number;
  /** 64 hex digits. */
  readonly runtimeHash: string;
}

// The database is WebAssembly, and making one runs most of it once: that is over sooner, by a third, when V8 does not optimise it.
setFlagsFromString('--liftoff-only');

let registry: DeviceRegistry;

const methods = {
  /** Starts the server; gives its URL. */
  async start({ authority, deviceKey, runtimeHash }: AttestationTask): Promise<string> {
    registry = await DeviceRegistry.open({ memory: true });
    await registry.enrollKey(deviceKey, { label: 'demo' });
    await registry.allowRuntime('linux', runtimeHash, { label: 'demo' });
    const server = await AttestationServer.start({ listen: 'tcp://127.0.0.1:0', authority, registry, log: stderrLog('warn') });
    return server.url;
  },

  /** The one device, when it is attested. */
  async attested(_: undefined): Promise<Attested> {
    const [device] = await registry.listDevices(1);
    if (device === undefined) throw new NotReadyError('nobody is attested', { layer: 'demo' });
    return { deviceId: device.deviceId, runtimeHash: device.runtimeHash };
  },
};

export type AttestationMethods = typeof methods;

answerCalls(methods);
