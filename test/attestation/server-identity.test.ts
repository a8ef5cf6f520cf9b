/** A certificate for a TLS server in one call. */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { makeAuthority } from '../../lib/attestation/authority.js';
import { makeIdentity, makeServerIdentity, type ServerIdentityOptions } from '../../lib/attestation/identity.js';
import { lengthPrefix } from '../../lib/layers/frame/index.js';
import { runtimeHashOf, tls } from '../../lib/layers/tls/index.js';
import { stack } from '../../lib/pipeline/stack.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { within } from '../support/foreign.js';

const authority = makeAuthority({ commonName: 'of the tests' });

void t.test('node:https verifies it, by name and by address, self-signed or issued', async (t) => {
  for (const more of [{}, { authority }, { algorithm: 'rsa' }] as Partial<ServerIdentityOptions>[]) {
    const identity = makeServerIdentity({ names: ['localhost', '127.0.0.1', '::1'], ...more });
    const server = createServer(identity, (_request, response) => response.end('hello')).listen(0, '127.0.0.1');
    t.teardown(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const ask = (servername: string) =>
      new Promise<string>((resolve, reject) => {
        const host = '127.0.0.1';
        get({ host, port, servername, ca: identity.authority, agent: false, headers: { host: servername } }, (response) => {
          response.resume().on('end', () => resolve('answered'));
        }).on('error', reject);
      });
    t.equal(await within('by name', ask('localhost')), 'answered');
    await t.rejects(within('by another name', ask('example.org')), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    const byAddress = new Promise<string>((resolve, reject) => {
      get({ host: '127.0.0.1', port, ca: identity.authority, agent: false }, (response) =>
        response.resume().on('end', () => resolve('answered')),
      ).on('error', reject);
    });
    t.equal(await within('by address', byAddress), 'answered');
  }
});

void t.test('the tls layer takes it as it is', async (t) => {
  const identity = makeServerIdentity({ names: 'localhost' });
  const alice = makeIdentity({ commonName: 'alice' });
  const [left, right] = memoryPipe();
  const server = stack(lengthPrefix({ deliver: 'whole' }), tls({ role: 'server', ...identity, identities: [alice.certificate] })).over(
    left,
  );
  const client = stack(lengthPrefix({ deliver: 'whole' }), tls({ role: 'client', ...alice, authority: identity.authority })).over(right);
  server.on('data', (message) => server.write(`${message.toString()} and back`));
  server.on('end', () => server.end());
  client.write('there');
  const [answer] = (await within('the answer', once(client, 'data'))) as [Buffer];
  t.equal(String(answer), 'there and back');
  client.end();
  await within('the end', once(client, 'close'));
});

void t.test('names and addresses are in it, each of its kind', async (t) => {
  const names = ['a.example.org', '*.b.example', '10.1.2.3', '::1', '2001:db8::7', '::ffff:1.2.3.4', 'fe80:1:2:3:4:5:6:7'];
  const { certificate } = makeServerIdentity({ names, runtimeHash: 'AB'.repeat(32) });
  const x509 = new X509Certificate(certificate);
  t.equal(
    x509.subjectAltName,
    'DNS:a.example.org, DNS:*.b.example, IP Address:10.1.2.3, IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:0:0:0:7, IP Address:0:0:0:0:0:FFFF:102:304, IP Address:FE80:1:2:3:4:5:6:7',
  );
  for (const name of names.filter((name) => /^[\d.]+$|:/.test(name))) t.equal(x509.checkIP(name), name);
  t.equal(runtimeHashOf(x509)?.toString('hex'), 'ab'.repeat(32));
  t.same(x509.keyUsage, ['1.3.6.1.5.5.7.3.1'], 'a server, and no client');
  t.notOk(x509.ca);
});

void t.test('what cannot be', async (t) => {
  const option = { code: 'ERR_VC_INVALID_OPTION' };
  for (const names of [undefined, [], [''], ['a b'], [7], ['fe80::1%eth0'], 'ä.example'] as string[][]) {
    t.throws(() => makeServerIdentity({ names }), { ...option, message: /^names / }, String(names));
  }
  t.throws(() => makeServerIdentity({ names: 'a', algorithm: 'dsa' as 'rsa' }), { ...option, message: /^algorithm / });
  t.throws(() => makeServerIdentity({ names: 'a', runtimeHash: 'ab' }), { ...option, message: /^runtimeHash / });
  t.throws(() => makeServerIdentity({ names: 'a', days: -1 }), { code: 'ERR_VC_INVALID_ARGUMENT' });
});
