/** The Proxy Attestation Server, a process of its own, with a registry in memory. */
import { AttestationServer } from 'veracruz-streams';
import { readAuthority } from 'veracruz-streams/attestation';
import type { Credentials } from '../harness/pki.js';
import { serveCommands } from '../harness/serve-commands.js';

serveCommands({
  /** Gives its URL. `deviceKey` is the public key, PEM, of the one device that it knows. */
  listen: async ({ authority, deviceKey }: { authority: Credentials; deviceKey: string }): Promise<string> => {
    const server = await AttestationServer.start({
      listen: 'tcp://127.0.0.1:0',
      authority: readAuthority(authority.certificate, authority.key),
      registry: { memory: true },
      allowAnyRuntime: true,
    });
    await server.registry.enrollKey(deviceKey);
    return server.url;
  },
});
