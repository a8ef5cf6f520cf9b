import { type Command, Option } from 'commander';
import { InvalidArgumentError } from '../core/errors.js';
import type { LinkTlsOptions } from '../roles/link-tls.js';
import { readKey, readText } from './flags.js';

/** The flags of a link's TLS, which both of its ends have. */
export interface LinkTlsFlags {
  linkCertificate?: string;
  linkKey?: string;
  linkAuthority?: string;
  linkPsk?: string;
}

/** Adds them to a command. */
export function addLinkTlsOptions(command: Command): Command {
  return command
    .addOption(new Option('--link-certificate <file>', 'mutual TLS on the link: our certificate, PEM'))
    .addOption(new Option('--link-key <file>', 'mutual TLS on the link: private key of our certificate, PEM'))
    .addOption(new Option('--link-authority <file>', 'mutual TLS on the link: whom the certificate of the other end must lead to, PEM'))
    .addOption(
      new Option('--link-psk <file>', 'TLS on the link by a pre-shared key instead: 64 hexadecimal digits, the same at both ends'),
    );
}

/** What they say; nothing where there is none. @throws InvalidArgumentError for some of them without the others */
export function linkTlsOf({ linkCertificate, linkKey, linkAuthority, linkPsk }: LinkTlsFlags): { linkTls?: LinkTlsOptions } {
  if (linkPsk !== undefined) {
    if (linkCertificate === undefined && linkKey === undefined && linkAuthority === undefined) {
      return { linkTls: { psk: readKey(linkPsk).trim() } };
    }
    throw new InvalidArgumentError('the link has --link-psk or certificates, not both');
  }
  if (linkCertificate === undefined && linkKey === undefined && linkAuthority === undefined) return {};
  if (linkCertificate === undefined || linkKey === undefined || linkAuthority === undefined) {
    throw new InvalidArgumentError('mutual TLS on the link needs --link-certificate, --link-key and --link-authority, all three');
  }
  return { linkTls: { certificate: readText(linkCertificate), key: readKey(linkKey), authority: readText(linkAuthority) } };
}
