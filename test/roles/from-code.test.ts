/** A whole deployment in one process, from what the package exports and nothing else: attested, computing nothing, a file up and down. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import {
  type AddressInput,
  AttestationServer,
  createPolicy,
  DeviceRegistry,
  DirectoryStore,
  InsecureSoftwareAttester,
  listenSocket,
  makeAuthority,
  makeIdentity,
  policyHash,
  RuntimeManager,
  VeracruzClient,
  VeracruzServer,
  WasiEngine,
} from '../../lib/index.js';
import '../support/processes.js';

void t.test('the roles find each other by what they give out, and are closed by `await using`', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'vc-from-code-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const left: Promise<void>[] = [];
  {
    const authority = makeAuthority();
    await using registry = await DeviceRegistry.open({ memory: true });
    await using attestation = await AttestationServer.start({ listen: 'tcp://127.0.0.1:0', authority, registry });
    const attester = await InsecureSoftwareAttester.open({ keyFile: join(folder, 'device.key') });
    // Without these two, the manager would be answered 403.
    await attestation.registry.enrollKey(attester.publicKeyPem, { label: 'this machine' });
    await attestation.registry.allowRuntime('linux', attester.runtimeHash);

    const alice = makeIdentity({ commonName: 'alice' });
    const policy = createPolicy({
      identities: [{ certificate: alice.certificate, capabilities: '/input/:rw' }],
      serverUrl: '127.0.0.1:3011',
      attestationUrl: attestation.address,
      authority: authority.certificate,
      certificateExpiry: new Date(Date.UTC(2040, 0, 1)),
      runtimeHashes: { linux: attester.runtimeHash },
    });
    await using store = await DirectoryStore.open(join(folder, 'files'));
    await using compute = new WasiEngine();
    const expectedPolicyHash = Buffer.from(policyHash(policy), 'hex');
    await using runtime = await RuntimeManager.start({ listen: 'tcp://127.0.0.1:0', store, compute, attester, expectedPolicyHash });
    await using server = await VeracruzServer.start({ policy, listen: 'tcp://127.0.0.1:0', runtime: runtime.address });
    await using client = await VeracruzClient.connect({ policy, url: server.url, identity: alice, expectedPolicyHash });
    left.push(attestation.closed, runtime.closed, server.closed);

    await client.writeFile('/input/a', 'from code');
    t.equal(await text(await client.readFile('/input/a')), 'from code');
    t.match((await registry.listDevices())[0], { runtimeHash: attester.runtimeHash.toString('hex') });
  }
  await Promise.all(left);
  t.pass('each role has closed');
});

void t.test('what else is closed can be disposed', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'vc-from-code-'));
  t.teardown(() => rm(folder, { recursive: true }));
  let address: AddressInput = 'tcp://127.0.0.1:0';
  {
    await using listener = await listenSocket('tcp://127.0.0.1:0', () => {});
    address = listener.address;
  }
  {
    await using again = await listenSocket(address, () => {});
    t.same(again.address, address, 'the place is free again');
  }
  const store = await DirectoryStore.open(folder);
  await store[Symbol.asyncDispose]();
  await t.rejects(store.read('/a'), { code: 'ERR_VC_CLOSED' });
  const registry = await DeviceRegistry.open({ memory: true });
  await registry[Symbol.asyncDispose]();
  await t.rejects(registry.ping(), { code: 'ERR_VC_CLOSED' });
});
