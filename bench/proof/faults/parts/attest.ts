/** The attestation server of the faults. */
import { AttestationServer, type Authority, DeviceRegistry, formatAddress } from 'veracruz-streams';
import { serveCommands } from '../../../harness/serve-commands.js';

export interface AttestTask {
  readonly authority: Pick<Authority, 'certificate' | 'key'>;
  /** Public key of the one device, PEM, and the runtime hash that it tells. */
  readonly device: string;
  readonly runtimeHash: string;
  readonly certificateLifetimeMs: number;
}

serveCommands({
  listen: async ({ authority, device, runtimeHash, certificateLifetimeMs }: AttestTask): Promise<string> => {
    const registry = await DeviceRegistry.open({ memory: true });
    await registry.enrollKey(device);
    await registry.allowRuntime('linux', runtimeHash);
    const listen = 'tcp://127.0.0.1:0';
    const server = await AttestationServer.start({ listen, authority, registry, certificateLifetimeMs, maxRequestsPerSecond: 0 });
    return formatAddress(server.address);
  },
  alive: () => true,
});
