/** Who else could speak on a link, as far as it can be seen; and what is logged of it. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { warnOfExposure } from '../../lib/roles/link-privacy.js';
import { parseAddress } from '../../lib/transports/address.js';
import { freshFolder, startManager, startServer } from '../support/roles.js';

async function reasonOf(address: string, authenticated = false): Promise<string | undefined> {
  const reasons: unknown[] = [];
  await warnOfExposure(parseAddress(address), authenticated, (_level, _event, figures) => reasons.push(figures?.reason));
  return reasons[0] as string | undefined;
}

void t.test('TCP: of this machine alone, or with TLS', async (t) => {
  for (const host of ['127.0.0.1', '127.8.9.10', 'localhost', '[::1]', '[::ffff:127.0.0.1]']) {
    t.equal(await reasonOf(`tcp://${host}:6000`), undefined, host);
  }
  for (const host of ['0.0.0.0', '[::]', '10.0.0.1', '1270.0.0.1', 'manager.example', '[::ffff:10.0.0.1]']) {
    t.match(await reasonOf(`tcp://${host}:6000`), /whoever reaches that port can speak on the link/, host);
    t.equal(await reasonOf(`tcp://${host}:6000`, true), undefined, `${host} with TLS`);
  }
  t.equal(await reasonOf('serial:///dev/hvc0'), undefined);
});

void t.test('a Unix socket: its folder, and its own mode', async (t) => {
  const folder = join(freshFolder(t), 'run');
  const socket = join(folder, 'rm');
  mkdirSync(folder);
  writeFileSync(socket, '');
  const modes = async (ofFolder: number, ofSocket: number) => {
    chmodSync(folder, ofFolder);
    chmodSync(socket, ofSocket);
    return reasonOf(`unix://${socket}`);
  };
  t.equal(await modes(0o700, 0o600), undefined);
  t.equal(await modes(0o755, 0o755), undefined, 'to connect is to write');
  t.equal(await modes(0o750, 0o660), undefined, 'a group that was given it');
  t.match(await modes(0o755, 0o666), /anybody can connect/);
  t.match(await modes(0o777, 0o600), /others can write to the folder/);
  t.match(await modes(0o770, 0o600), /others can write to the folder/);
  t.equal(await modes(0o1777, 0o600), undefined, 'sticky, as /tmp is');
  t.equal(await reasonOf(`unix://${folder}/none/rm`), undefined, 'nothing there');
});

void t.test('a folder of somebody else', { skip: process.getuid?.() === 0 ? false : 'only root can make one' }, async (t) => {
  const { chownSync } = await import('node:fs');
  const folder = join(freshFolder(t), 'run');
  mkdirSync(folder, { mode: 0o755 });
  chownSync(folder, 12_345, 12_345);
  t.match(await reasonOf(`unix://${folder}/rm`), /belongs to uid 12345/);
});

void t.test('both ends say so when they listen', async (t) => {
  const warned: string[] = [];
  const log = (_level: string, event: string) => {
    if (event === 'link not private') warned.push(event);
  };
  await startManager(t, { log });
  await startServer(t, 'tcp-listen://127.0.0.1:0', { log });
  t.equal(warned.length, 0);
  await startManager(t, { listen: 'tcp://0.0.0.0:0', log });
  t.equal(warned.length, 1);
  await startServer(t, 'tcp-listen://0.0.0.0:0', { log });
  t.equal(warned.length, 2);
});
