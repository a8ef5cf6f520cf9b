import { Command } from 'commander';
import { InsecureSoftwareAttester } from '../attestation/evidence/index.js';
import { InvalidArgumentError } from '../core/errors.js';
import { checkNewFiles, writeNewFiles } from './new-files.js';
import { isSameFile } from './same-file.js';
import { print } from './standard-output.js';

interface DeviceFlags {
  out?: string;
  force?: boolean;
}

/** `veracruz-streams device` */
export function deviceCommand(): Command {
  return new Command('device')
    .description(
      'Print the public key of a software attester, PEM, as `attest enroll` takes it. A key file that is not there is made. INSECURE: the key that attests is a file.',
    )
    .argument('<key file>', 'its private key, P-256, PEM; when there is none, a new one is made there (0600), and that is told')
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
      if (out !== undefined) checkOut(keyFile, out, force === true);
      const { publicKeyPem, keyMade } = await InsecureSoftwareAttester.open({ keyFile });
      if (keyMade) await print(`made a new private key: ${keyFile} (0600)\n`, 'stderr');
      if (out === undefined) await print(publicKeyPem);
      else writeNewFiles([{ path: out, content: publicKeyPem, secret: false }], force === true);
    });
}

/** Looks at where the public key goes before a private key is made for it. @throws InvalidArgumentError */
function checkOut(keyFile: string, out: string, force: boolean): void {
  if (isSameFile(keyFile, out)) throw new InvalidArgumentError(`--out ${out} is the file of the private key: name another`);
  checkNewFiles([out], force);
}
