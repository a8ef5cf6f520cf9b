import { isIPv4, isIPv6 } from 'node:net';

/**
 * What an address is counted by: an IPv4 address by itself, an IPv6 address by its first 64 bits, because its owner can
 * choose the others freely. An IPv4 address in the form of IPv6 (`::ffff:192.0.2.1`) counts as IPv4. Clients on a Unix socket
 * have no address and are counted together.
 */
export function networkOf(address: string | undefined): string {
  if (address === undefined || isIPv4(address) || !isIPv6(address)) return address ?? '';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1] as string;
  const [before = '', after] = address.split('::');
  const head = groupsOf(before);
  const tail = groupsOf(after ?? '');
  const zeros = after === undefined ? 0 : 8 - head.length - tail.length;
  return `${[...head, ...Array.from({ length: zeros }, () => '0'), ...tail].slice(0, 4).join(':')}::/64`;
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':').map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''));
}
