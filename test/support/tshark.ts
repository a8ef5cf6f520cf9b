/** tshark, where it is installed. */
import { spawnSync } from 'node:child_process';

/** Why there is no tshark; false where there is one. */
export const noTshark: string | false = spawnSync('tshark', ['--version']).status === 0 ? false : 'no tshark';

/** What `tshark -r` prints of a capture, line by line. Fails on a capture that it calls broken. */
export function tshark(path: string, ...args: string[]): string[] {
  const { status, stdout, stderr } = spawnSync('tshark', ['-r', path, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`tshark ended with ${status}: ${stderr}`);
  return stdout
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '');
}

/** Bytes of TCP in a capture: from the client (`up`), and from the server, which has port 443. */
export function directionsOf(path: string): { up: number; down: number } {
  const sums = { up: 0, down: 0 };
  for (const line of tshark(path, '-T', 'fields', '-e', 'tcp.dstport', '-e', 'tcp.len')) {
    const [port, bytes] = line.split('\t');
    sums[port === '443' ? 'up' : 'down'] += Number(bytes);
  }
  return sums;
}
