/** The link with mutual TLS: both ends, every way in which they meet, and those who do not come in. */

import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import { type Authority, issue, makeAuthority } from '../../lib/attestation/authority.js';
import { makeKey, pemOf, type Usage } from '../../lib/attestation/certificate.js';
import type { LinkCertificates, LinkTlsOptions } from '../../lib/roles/link-tls.js';
import type { Log } from '../../lib/roles/options.js';
import { plainAttester } from '../support/enrol.js';
import { ask, framed, tapProxy, until, within } from '../support/foreign.js';
import '../support/long.js';
import {
  collect,
  connectClient,
  content,
  freshFolder,
  authority as policyAuthority,
  portOf,
  startManager,
  startServer,
} from '../support/roles.js';

const links = makeAuthority({ commonName: 'links' });
const others = makeAuthority({ commonName: 'other links' });

function ofLink(
  usage: Usage,
  by: Authority = links,
  trusts: Authority = links,
  more: Partial<Parameters<typeof issue>[1]> = {},
): LinkCertificates {
  const key = makeKey('ec');
  const certificate = issue(by, { subject: `${usage} end`, publicKey: createPublicKey(key), usages: [usage], ...more });
  return {
    certificate: pemOf(certificate),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    authority: trusts.certificate,
  };
}

const MANAGER = ofLink('server');
const SERVER = ofLink('client');

/** A log, and the reasons of one event in it. */
function heard(): { log: Log; of: (event: string) => string[] } {
  const lines: (readonly [string, string])[] = [];
  return {
    log: (_level, event, figures) => lines.push([event, String(figures?.reason)]),
    of: (event) => lines.filter(([name]) => name === event).map(([, reason]) => reason),
  };
}

async function moves(t: Test, url: string, changes: Parameters<typeof connectClient>[2] = {}): Promise<void> {
  const client = await connectClient(t, url, changes);
  const file = content(3_000_000);
  await client.writeFile('/input/a', file);
  t.ok((await collect(await client.readFile('/input/a'))).equals(file), 'a file up and down');
  await client.close();
}

void t.test('every way in which the ends meet: files go through, and nothing of it is plain', async (t) => {
  const folder = freshFolder(t);
  await t.test('TCP', async (t) => {
    const manager = await startManager(t, { linkTls: MANAGER });
    const proxy = await tapProxy(t, portOf(manager));
    const server = await startServer(t, `tcp://127.0.0.1:${proxy.port}`, { linkTls: SERVER });
    await moves(t, server.url);
    t.notOk(proxy.up().includes(framed(ask.open())), 'no request is to be seen');
    await server.close();
    await until('the sessions have gone with the link', () => manager.sessions === 0);
  });
  await t.test('a Unix socket', async (t) => {
    const listen = `unix://${join(folder, 'rm')}`;
    await startManager(t, { listen, linkTls: MANAGER });
    await moves(t, (await startServer(t, listen, { linkTls: SERVER })).url);
  });
  await t.test('the manager connects: it is the server of TLS all the same', async (t) => {
    const at = join(folder, 'server');
    const server = await startServer(t, `unix-listen://${at}`, { linkTls: SERVER });
    await startManager(t, { connect: `unix://${at}`, linkTls: MANAGER });
    await until('the manager in service', () => server.managers[0]?.up === true);
    await moves(t, server.url);
  });
  await t.test('one of several managers has it', async (t) => {
    const secured = await startManager(t, { linkTls: MANAGER });
    const plain = await startManager(t);
    const address = `tcp://127.0.0.1:${portOf(secured)}`;
    const runtime = [{ address, linkTls: SERVER }, `tcp://127.0.0.1:${portOf(plain)}`];
    const server = await startServer(t, '', { runtime });
    await moves(t, server.url);
    t.same(
      server.managers.map(({ up }) => up),
      [true, true],
    );
  });
  await t.test('two authorities are trusted', async (t) => {
    const manager = await startManager(t, { linkTls: { ...MANAGER, authority: [others.certificate, links.certificate] } });
    const address = `tcp://127.0.0.1:${portOf(manager)}`;
    for (const linkTls of [SERVER, ofLink('client', others)]) await moves(t, (await startServer(t, address, { linkTls })).url);
  });
});

void t.test('strangers: not one request is heard of them', async (t) => {
  const { log, of } = heard();
  const attester = plainAttester();
  const manager = await startManager(t, { linkTls: MANAGER, attester, log });
  const port = portOf(manager);
  const refused = () => of('link refused').length;

  const plain = connectPlain({ host: '127.0.0.1', port });
  plain.on('error', () => {});
  plain.write(framed(ask.open()));
  await within('the end of one without TLS', once(plain, 'close'));

  const strange: Readonly<Record<string, LinkCertificates | undefined>> = {
    'no certificate': undefined,
    'of another authority': ofLink('client', others),
    "of the policy's authority": ofLink('client', policyAuthority),
    "a manager's": ofLink('server'),
    'out of its time': ofLink('client', links, links, { notBefore: new Date(2020, 0), notAfter: new Date(2021, 0) }),
  };
  let before = refused();
  t.equal(before, 1);
  for (const [what, credentials] of Object.entries(strange)) {
    const { certificate: cert, key } = credentials ?? {};
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...(cert !== undefined && { cert, key }) });
    let answer = 0;
    socket
      .on('error', () => {})
      .on('data', (bytes: Buffer) => {
        answer += bytes.length;
      });
    socket.write(framed(ask.open()));
    await within(`the end of a stranger: ${what}`, new Promise((resolve) => socket.once('close', resolve)));
    t.equal(answer, 0, what);
    await until('it is logged', () => refused() > before);
    before = refused();
  }
  t.equal(before, 1 + Object.keys(strange).length);
  t.same(of('link opened'), []);
  t.equal(attester.asked, 0);
});

void t.test('a Server does not speak to a manager that is none of its own', async (t) => {
  const managers: Readonly<Record<string, LinkTlsOptions | undefined>> = {
    'without TLS': undefined,
    'of another authority': ofLink('server', others),
    "with a Server's certificate": ofLink('client'),
    'that does not trust it': ofLink('server', links, others),
  };
  for (const [what, linkTls] of Object.entries(managers)) {
    const { log, of } = heard();
    const manager = await startManager(t, { log, ...(linkTls && { linkTls }) });
    const server = startServer(t, `tcp://127.0.0.1:${portOf(manager)}`, { linkTls: SERVER });
    if (what !== 'that does not trust it') await t.rejects(server, { code: 'ERR_VC_TLS_HANDSHAKE' }, what);
    else {
      // The last word of a handshake in TLS 1.3 is the client's: what the manager thinks of it shows later.
      const {
        url,
        managers: [status],
      } = await server.catch(() => ({ url: '', managers: [] }));
      if (status !== undefined) await t.rejects(connectClient(t, url), { code: 'ERR_VC_HTTP_STATUS', got: 503 }, what);
      t.equal(of('link opened').length, 0, what);
    }
  }
  const manager = await startManager(t, { linkTls: MANAGER, maxLinks: 1 });
  const plain = await startServer(t, `tcp://127.0.0.1:${portOf(manager)}`).catch((error: { code: string }) => error);
  if ('url' in plain)
    await t.rejects(connectClient(t, plain.url), { code: 'ERR_VC_HTTP_STATUS', got: 503 }, 'nor one without TLS to a manager with it');
});

void t.test('a manager that comes to a Server must be one of its own', async (t) => {
  const at = join(freshFolder(t), 'server');
  const server = await startServer(t, `unix-listen://${at}`, { linkTls: SERVER });
  const wrong = startManager(t, { connect: `unix://${at}`, linkTls: ofLink('server', others) });
  await t.rejects(wrong, { code: 'ERR_VC_TLS_HANDSHAKE' });
  t.same(
    server.managers.map(({ up }) => up),
    [false],
  );
});

void t.test('what is no certificate, no key, or not of each other', async (t) => {
  const wrong: Readonly<Record<string, LinkTlsOptions>> = {
    'no certificate': { ...MANAGER, certificate: 'x' },
    'no key': { ...MANAGER, key: 'x' },
    'another key': { ...MANAGER, key: SERVER.key },
    'no authority': { ...MANAGER, authority: [] },
  };
  for (const [what, linkTls] of Object.entries(wrong)) {
    await t.rejects(startManager(t, { linkTls }), { code: 'ERR_VC_INVALID_OPTION' }, what);
    await t.rejects(startServer(t, 'tcp://127.0.0.1:1', { linkTls }), { code: 'ERR_VC_INVALID_OPTION' }, what);
  }
  const behindConsole = startManager(t, { listen: 'serial:///dev/null', linkTls: MANAGER });
  await t.rejects(behindConsole, { code: 'ERR_VC_INVALID_OPTION' }, 'behind a console');
});

const PSK = '5c'.repeat(32);

void t.test('a pre-shared key: both ends have it, and files go through', async (t) => {
  const folder = freshFolder(t);
  const manager = await startManager(t, { linkTls: { psk: PSK } });
  const proxy = await tapProxy(t, portOf(manager));
  const server = await startServer(t, `tcp://127.0.0.1:${proxy.port}`, { linkTls: { psk: Buffer.from(PSK, 'hex') } });
  await moves(t, server.url);
  t.notOk(proxy.up().includes(framed(ask.open())), 'no request is to be seen');
  const at = join(folder, 'server');
  const listening = await startServer(t, `unix-listen://${at}`, { linkTls: { psk: PSK } });
  await startManager(t, { connect: `unix://${at}`, linkTls: { psk: PSK } });
  await until('the manager in service', () => listening.managers[0]?.up === true);
  await moves(t, listening.url);
});

void t.test('who does not have the pre-shared key is not heard, whatever certificate he has', async (t) => {
  const { log, of } = heard();
  const manager = await startManager(t, { linkTls: { psk: PSK }, log });
  const address = `tcp://127.0.0.1:${portOf(manager)}`;
  for (const linkTls of [{ psk: '5d'.repeat(32) }, SERVER, undefined]) {
    await t.rejects(startServer(t, address, { ...(linkTls && { linkTls }), maxSilenceMs: 500 }).then((server) => moves(t, server.url)));
  }
  t.equal(of('link opened').length, 0);
  t.equal(of('link refused').length >= 2, true);
  const named = connectTls({
    host: '127.0.0.1',
    port: portOf(manager),
    minVersion: 'TLSv1.3',
    pskCallback: () => ({ psk: Buffer.from(PSK, 'hex'), identity: 'other' }),
  });
  await t.rejects(once(named, 'secureConnect'), { code: /HANDSHAKE_FAILURE/ }, 'under another name');
});

void t.test('a Server with a pre-shared key takes no manager that shows a certificate instead', async (t) => {
  const manager = await startManager(t, { linkTls: MANAGER });
  const refused = startServer(t, `tcp://127.0.0.1:${portOf(manager)}`, { linkTls: { psk: PSK } });
  await t.rejects(refused, { code: 'ERR_VC_TLS_HANDSHAKE' });
});

void t.test('what is no pre-shared key', async (t) => {
  const store = join(freshFolder(t), 'store');
  for (const psk of ['', '5c'.repeat(31), '5c'.repeat(65), 'a password that is easy to guess', Buffer.alloc(31), Buffer.alloc(65)]) {
    await t.rejects(startManager(t, { linkTls: { psk }, store }), { code: 'ERR_VC_INVALID_OPTION' });
  }
});

void t.test('both ends warn of a certificate of the link that is about to expire', async (t) => {
  const [day, hour] = [86_400_000, 3_600_000];
  const soon = (usage: Usage) =>
    ofLink(usage, links, links, { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + hour) });
  for (const [linkTls, warned] of [
    [{ manager: MANAGER, server: SERVER }, false],
    [{ manager: soon('server'), server: soon('client') }, true],
  ] as const) {
    const [one, other] = [heard(), heard()];
    const manager = await startManager(t, { linkTls: linkTls.manager, log: one.log });
    await startServer(t, `tcp://127.0.0.1:${portOf(manager)}`, { linkTls: linkTls.server, log: other.log });
    for (const { of } of [one, other]) t.equal(of('certificate about to expire').length, warned ? 1 : 0);
  }
});
