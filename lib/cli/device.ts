import { Command } from 'commander';
import { InsecureSoftwareAttester } from '../attestation/evidence/index.js';
import { writeNewFiles } from './new-files.js';
import { print } from './standard-output.js';

interface DeviceFlags {
  out?: string;
  force?: boolean;
}

/** `veracruz-streams device` */
export function deviceCommand(): Command {
  return new Command('device')
    .description('Print the public key of a software attester, PEM, as `attest enroll` takes it. INSECURE: the key that attests is a file.')
    .argument('<key file>', 'its private key, P-256, PEM; made there (0600) when there is none')
    .option('--out <file>', 'write the public key there instead')
    .option('--force', 'replace that file if it exists; the private key is never replaced')
    .addHelpText(
      'after',
      `
Examples:
  veracruz-streams device device.key --out device.pem
  veracruz-streams attest enroll device.pem
  veracruz-streams runtime --store ./files --attester software --device-key device.key`,
    )
    .action(async (keyFile: string, { out, force }: DeviceFlags) => {
      const { publicKeyPem } = await InsecureSoftwareAttester.open({ keyFile });
      if (out === undefined) await print(publicKeyPem);
      else writeNewFiles([{ path: out, content: publicKeyPem, secret: false }], force === true);
    });
}
