/** The device registry: the same behaviour in both databases. */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { DeviceRegistry, type Platform, REGISTRY_DEFAULTS, tameText } from '../../lib/attestation/registry/index.js';
import { tcpServer, within } from '../support/foreign.js';
import { noPgBouncer, startPgBouncer } from '../support/postgres.js';
import { seeded } from '../support/splits.js';
import { closing, device, ENGINES, HASH, pemOfKey, postgres, publicKey, raw, SERVER } from './registry-engines.js';

const ARGUMENT = { code: 'ERR_VC_INVALID_ARGUMENT' };
const LIMIT = { code: 'ERR_VC_LIMIT' };
/** What a careless program would make of a text. */
const INJECTIONS = [
  "'); DROP TABLE devices; --",
  "' OR '1'='1",
  '"; DELETE FROM device_keys; --',
  "\\'; SELECT 1; --",
  '$1',
  '%s',
  "E'\\x00'",
  '🗝️ ключ',
];

for (const { name, skip, place } of ENGINES) {
  void t.test(`${name} database`, { skip }, async (t) => {
    const here = await place();
    const registry = closing(t, await DeviceRegistry.open(here));

    await t.test('keys: enrolled, found, revoked, restored', async (t) => {
      const key = publicKey();
      const point = Buffer.from(key.export({ type: 'spki', format: 'der' }).subarray(-65));
      const id = createHash('sha256').update(point).digest('hex');
      const enrolled = await registry.enrollKey(pemOfKey(key), { label: 'rack 7' });
      t.match(enrolled, { id, point: point.toString('hex'), label: 'rack 7', revokedAt: null });
      t.ok(Math.abs(enrolled.enrolledAt.getTime() - Date.now()) < 600_000, 'a date, of today');
      t.same(await registry.findKey(id), enrolled);
      t.same(await registry.findKey(id.toUpperCase()), enrolled);
      t.same(await registry.findKey(Buffer.from(id, 'hex')), enrolled);
      for (const form of [key, point, pemOfKey(key)]) t.equal((await registry.enrollKey(form, { label: 'again' })).id, id);
      t.equal((await registry.findKey(id))?.label, 'again');
      t.equal((await registry.listKeys()).length, 1, 'one row for one key');

      t.equal(await registry.revokeKey(id), true);
      t.equal(await registry.revokeKey(id), false, 'once');
      t.type((await registry.findKey(id))?.revokedAt, Date);
      t.same(await registry.liveKeys(9), []);
      await t.rejects(registry.enrollKey(key), { ...ARGUMENT, message: /revoked/ }, 'a script that enrols all does not undo it');
      t.type((await registry.findKey(id))?.revokedAt, Date);
      t.equal((await registry.enrollKey(key, { restore: true })).revokedAt, null);
      t.equal((await registry.liveKeys(9)).length, 1);
      t.equal(await registry.findKey('0'.repeat(64)), undefined);
      t.equal(await registry.revokeKey('0'.repeat(64)), false);
    });

    await t.test('live keys: the newest first, as many as are asked for', async (t) => {
      const ids: string[] = [];
      for (let i = 0; i < 4; i++) ids.unshift((await registry.enrollKey(publicKey())).id);
      t.same(
        (await registry.liveKeys(3)).map(({ id }) => id),
        ids.slice(0, 3),
      );
      t.same(
        (await registry.listKeys()).slice(0, 4).map(({ id }) => id),
        ids,
      );
    });

    await t.test('what is no key, id, hash, platform or label', async (t) => {
      const keys = [
        'no key',
        '',
        Buffer.alloc(65),
        Buffer.alloc(64, 4),
        generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey,
        generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey,
        generateKeyPairSync('ed25519').publicKey,
      ];
      for (const key of keys) await t.rejects(registry.enrollKey(key), ARGUMENT);
      for (const id of ['', 'ab', 'g'.repeat(64), `${HASH}0`, Buffer.alloc(31), Buffer.alloc(33), `${HASH}\n`]) {
        await t.rejects(registry.findKey(id), ARGUMENT);
        await t.rejects(registry.revokeKey(id), ARGUMENT);
        await t.rejects(registry.allowRuntime('linux', id), ARGUMENT);
        await t.rejects(registry.isAllowed(id), ARGUMENT);
      }
      await t.rejects(registry.allowRuntime('sgx' as Platform, HASH), ARGUMENT);
      await t.rejects(registry.revokeRuntime(HASH, '' as Platform), ARGUMENT);
      const key = publicKey();
      for (const label of ['\0', 'a\nb', '\u001b[31m', '\ud83d', '\u009b', 'x'.repeat(129)])
        await t.rejects(registry.enrollKey(key, { label }), ARGUMENT);
      t.equal((await registry.enrollKey(key, { label: 'x'.repeat(128) })).label.length, 128);
    });

    await t.test('runtimes: by platform', async (t) => {
      const hash = '1c'.repeat(32);
      t.equal(await registry.isAllowed(hash), false, 'an empty list lets nobody in');
      t.match(await registry.allowRuntime('linux', hash.toUpperCase(), { label: 'one' }), {
        platform: 'linux',
        hash,
        label: 'one',
        revokedAt: null,
      });
      t.equal(await registry.isAllowed(Buffer.from(hash, 'hex')), true);
      t.equal(await registry.isAllowed(hash, ['linux', 'icecap']), true);
      t.equal(await registry.isAllowed(hash, ['nitro']), false, 'the hash of one platform is no pass on another');
      t.equal(await registry.isAllowed(hash, []), false);
      await registry.allowRuntime('nitro', hash);
      t.equal((await registry.findRuntime(hash, ['nitro']))?.platform, 'nitro');
      t.equal(await registry.revokeRuntime(hash, 'linux'), true);
      t.equal(await registry.revokeRuntime(hash, 'linux'), false);
      t.equal(await registry.isAllowed(hash, ['linux', 'icecap']), false);
      t.equal(await registry.isAllowed(hash), true, 'on Nitro it still is');
      await t.rejects(registry.allowRuntime('linux', hash), { ...ARGUMENT, message: /revoked/ });
      await registry.allowRuntime('linux', hash, { restore: true, label: 'two' });
      t.equal((await registry.findRuntime(hash, ['linux']))?.label, 'two');
      t.equal(await registry.revokeRuntime(hash), true, 'on all platforms at once');
      t.equal(await registry.isAllowed(hash), false);
      t.equal((await registry.listRuntimes()).filter((runtime) => runtime.hash === hash && runtime.revokedAt !== null).length, 2);
    });

    await t.test('devices: recorded, found, listed, forgotten', async (t) => {
      const first = device({ enclaveName: 'enclave', pubkeyHash: 'CD'.repeat(32), firmwareVersion: '0.3.0' });
      const recorded = await registry.recordAttestation(first);
      t.match(recorded, { ...first, pubkeyHash: 'cd'.repeat(32) });
      t.type(recorded.attestedAt, Date);
      t.same(await registry.findDevice(first.deviceId), recorded);
      await t.rejects(
        registry.recordAttestation({ ...first, pubkeyHash: HASH }),
        { ...ARGUMENT, message: /taken/ },
        'no other takes its place',
      );
      t.same(await registry.findDevice(first.deviceId), recorded);
      const nitro = await registry.recordAttestation(device({ pubkeyHash: '', platform: 'nitro' }));
      t.equal(nitro.pubkeyHash, '');
      t.same(await registry.listDevices(1), [nitro]);
      t.same(await registry.listDevices(), [nitro, recorded]);
      for (const limit of [0, -1, 1.5, 100_001, Number.NaN]) await t.rejects(registry.listDevices(limit), ARGUMENT);
      t.equal(await registry.forgetDevices(recorded.attestedAt), 0, 'before, not at');
      t.equal(await registry.forgetDevices(nitro.attestedAt), 1);
      t.equal(await registry.findDevice(first.deviceId), undefined);
      t.equal(await registry.forgetDevices(new Date(Date.now() + 86_400_000).toISOString()), 1);
      await t.rejects(registry.forgetDevices('yesterday'), ARGUMENT);
      for (const deviceId of [1, 2 ** 31 - 1]) t.match(await registry.recordAttestation(device({ deviceId })), { deviceId });
      for (const deviceId of [0, -1, 2 ** 31, 1.5, Number.NaN]) {
        await t.rejects(registry.recordAttestation(device({ deviceId })), ARGUMENT);
        await t.rejects(registry.findDevice(deviceId), ARGUMENT);
      }
      for (const bad of [
        { pubkeyHash: 'x' },
        { runtimeHash: '' },
        { enclaveName: 'a\0b' },
        { enclaveName: 'x'.repeat(129) },
        { firmwareVersion: '\n' },
      ]) {
        await t.rejects(registry.recordAttestation(device(bad)), ARGUMENT);
      }
    });

    await t.test('texts that look like SQL are texts', async (t) => {
      for (const text of INJECTIONS) {
        t.equal((await registry.enrollKey(publicKey(), { label: text })).label, text);
        t.equal((await registry.allowRuntime('icecap', createHash('sha256').update(text).digest(), { label: text })).label, text);
        const { deviceId } = await registry.recordAttestation(device({ enclaveName: text, firmwareVersion: text, platform: text }));
        t.match(await registry.findDevice(deviceId), { enclaveName: text, firmwareVersion: text, platform: text });
      }
      t.ok((await registry.listKeys()).length > INJECTIONS.length, 'the tables are still there');
    });

    await t.test('any text that was tamed is kept as it is', async (t) => {
      const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ unit: 'grapheme', maxLength: 200 }));
      await fc.assert(
        fc.asyncProperty(text, async (wild) => {
          const tame = tameText(wild);
          const { deviceId } = await registry.recordAttestation(device({ enclaveName: tame, pubkeyHash: '12'.repeat(32) }));
          t.equal((await registry.findDevice(deviceId))?.enclaveName, tame);
        }),
        seeded(100),
      );
    });

    await t.test('one device that attests itself over and over does not fill the table', async (t) => {
      const small = closing(t, await DeviceRegistry.open({ ...(await place()), maxDevices: 5, maxPerDevice: 2 }));
      const other = await small.recordAttestation(device({ pubkeyHash: 'ee'.repeat(32) }));
      const again: number[] = [];
      // Whatever else it says of itself: the key is the device.
      for (let i = 0; i < 9; i++) again.push((await small.recordAttestation(device({ enclaveName: `enclave ${i}` }))).deviceId);
      t.same(
        (await small.listDevices()).map(({ deviceId }) => deviceId),
        [...again.slice(-2).reverse(), other.deviceId],
      );
      // Where the platform's maker signs, the enclave is.
      const enclave = (enclaveName: string) => small.recordAttestation(device({ pubkeyHash: '', platform: 'nitro', enclaveName }));
      for (let i = 0; i < 5; i++) await enclave('one');
      t.equal((await small.listDevices()).length, 5);
      await t.rejects(enclave('two'), { ...LIMIT, limit: 5 }, 'others do not give way to a device that is new');
      await enclave('one');
      const newest = (await small.listDevices())[0]?.deviceId as number;
      const taken = small.recordAttestation(device({ deviceId: newest, pubkeyHash: '', platform: 'nitro', enclaveName: 'one' }));
      await t.rejects(taken, { ...ARGUMENT, message: /taken/ });
      t.equal((await small.listDevices()).length, 5, 'and nothing is lost by it');
      t.equal((await small.findDevice(other.deviceId))?.deviceId, other.deviceId);
    });

    await t.test('many at once', async (t) => {
      const before = (await registry.listDevices()).length;
      const many = Array.from({ length: 60 }, () => device({ pubkeyHash: randomBytes(32).toString('hex') }));
      await Promise.all(many.map((one) => registry.recordAttestation(one)));
      t.equal((await registry.listDevices()).length, before + many.length);
      const one = device();
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => registry.recordAttestation(one)));
      t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1, 'one device of an id');
    });

    await t.test('closed, opened again: nothing is lost', async (t) => {
      const [keys, runtimes, devices] = [await registry.listKeys(), await registry.listRuntimes(), await registry.listDevices()];
      await registry.close();
      await registry.close();
      await t.rejects(registry.listKeys(), { code: 'ERR_VC_CLOSED' });
      await t.rejects(registry.ping(), { code: 'ERR_VC_CLOSED' });
      const again = closing(t, await DeviceRegistry.open(here));
      await again.ping();
      t.same(await again.listKeys(), keys);
      t.same(await again.listRuntimes(), runtimes);
      t.same(await again.listDevices(), devices);
      t.ok(keys.length > 0 && runtimes.length > 0 && devices.length > 0);
      await again.close();
    });

    await t.test("a reader of the original's database finds its columns", async (t) => {
      const rows = await raw<Record<string, unknown>>(
        here,
        'SELECT id, device_id, pubkey_hash, enclave_name FROM devices WHERE device_id = 1',
      );
      t.match(rows, [{ device_id: 1, pubkey_hash: HASH, enclave_name: '' }]);
    });

    await t.test('limits: at each, and one over', async (t) => {
      const small = closing(t, await DeviceRegistry.open({ ...(await place()), maxDevices: 2, maxKeys: 2, maxRuntimes: 2 }));
      const [first] = [await small.enrollKey(publicKey()), await small.enrollKey(publicKey())];
      await t.rejects(small.enrollKey(publicKey()), { ...LIMIT, limit: 2 });
      t.equal(
        (await small.enrollKey(Buffer.from(first.point, 'hex'), { label: 'known' })).label,
        'known',
        'one that is there is none more',
      );
      await small.revokeKey(first.id);
      await t.rejects(small.enrollKey(publicKey()), LIMIT, 'revoked ones count');
      await small.allowRuntime('linux', '01'.repeat(32));
      await small.allowRuntime('nitro', '01'.repeat(32));
      await t.rejects(small.allowRuntime('icecap', '01'.repeat(32)), { ...LIMIT, limit: 2 });
      await small.recordAttestation(device());
      await small.recordAttestation(device());
      await t.rejects(small.recordAttestation(device()), { ...LIMIT, limit: 2 });
      t.equal(await small.forgetDevices(new Date(Date.now() + 86_400_000)), 2);
      await small.recordAttestation(device());
    });
  });
}

void t.test('in memory', async (t) => {
  const registry = closing(t, await DeviceRegistry.open({ memory: true }));
  t.equal(registry.where, 'memory');
  await registry.recordAttestation(device({ deviceId: 5 }));
  t.equal((await registry.findDevice(5))?.deviceId, 5);
});

void t.test('options', async (t) => {
  const wrong = [
    {},
    { memory: false },
    { folder: '/x', url: 'postgres://x/y' },
    { memory: true, folder: '/x' },
    { memory: true, maxDevices: 0 },
    { memory: true, maxKeys: 1.5 },
    { memory: true, maxRuntimes: 2 ** 31 },
    { memory: true, timeoutMs: -1 },
    { url: 'mysql://x/y' },
    { url: '/var/run/postgresql' },
  ];
  for (const options of wrong) await t.rejects(DeviceRegistry.open(options), { code: 'ERR_VC_INVALID_OPTION' }, JSON.stringify(options));
  t.ok(Object.isFrozen(REGISTRY_DEFAULTS));
});

void t.test('what cannot be opened says why, and no password', async (t) => {
  const secret = 'hunter2';
  const urls = [
    `postgres://me:${secret}@127.0.0.1:1/attest`,
    `postgres://me:${secret}@[::1/attest`,
    `postgres://me:${secret}%zz@127.0.0.1:1/x`,
  ];
  for (const url of urls) {
    const error = (await DeviceRegistry.open({ url, timeoutMs: 5000 }).then(
      () => t.fail('opened'),
      (thrown: unknown) => thrown,
    )) as Error;
    t.match(error, { code: /^ERR_VC_(REGISTRY|INVALID_OPTION)$/ });
    t.notMatch(`${error.message} ${JSON.stringify(error)} ${error.stack}`, secret);
  }
  await t.rejects(DeviceRegistry.open({ url: urls[0] }), {
    message: /postgres:\/\/127\.0\.0\.1:1\/attest cannot be reached \(ECONNREFUSED\)/,
  });
  await t.rejects(DeviceRegistry.open({ folder: '/dev/null/registry' }), { code: 'ERR_VC_REGISTRY' });
});

void t.test('a server that accepts and says nothing: given up at the time-out', async (t) => {
  const { port } = await tcpServer(t, () => {});
  const opening = DeviceRegistry.open({ url: `postgres://me@127.0.0.1:${port}/attest`, timeoutMs: 50 });
  await t.rejects(within('the time-out', opening), { code: 'ERR_VC_REGISTRY' });
});

void t.test('a database whose sessions begin with other settings', { skip: SERVER.skip }, async (t) => {
  const place = (await SERVER.place()) as { url: string };
  const name = new URL(place.url).pathname.slice(1);
  const settings: Readonly<Record<string, string>> = {
    DateStyle: "'German, DMY'",
    TimeZone: "'Asia/Kathmandu'",
    IntervalStyle: "'sql_standard'",
    standard_conforming_strings: 'off',
    statement_timeout: "'1h'",
  };
  for (const [setting, value] of Object.entries(settings)) await raw(place, `ALTER DATABASE ${name} SET ${setting} = ${value}`);
  t.match(await raw<{ now: unknown }>(place, 'SELECT now()::text AS now'), [{ now: /^\d\d\.\d\d\.\d{4} / }], 'they hold');
  const registry = await DeviceRegistry.open(place);
  t.teardown(() => registry.close());
  const before = Date.now();
  await registry.allowRuntime('linux', 'ab'.repeat(32), { label: "a \\ and a '" });
  const [runtime] = await registry.listRuntimes();
  t.equal(runtime?.label, "a \\ and a '");
  t.ok(runtime?.allowedAt instanceof Date && Math.abs(runtime.allowedAt.getTime() - before) < 3_600_000, String(runtime?.allowedAt));
  t.equal(await registry.forgetDevices(new Date(before)), 0);
});

void t.test('PgBouncer at its defaults, before a database with other settings', { skip: noPgBouncer }, async (t) => {
  const place = (await SERVER.place()) as { url: string };
  await raw(place, `ALTER DATABASE ${new URL(place.url).pathname.slice(1)} SET DateStyle = 'German, DMY'`);
  const through = new URL(place.url);
  through.port = String(await startPgBouncer(t, await postgres()));
  const stranger = new URL(through);
  stranger.username = 'stranger';
  await t.rejects(DeviceRegistry.open({ url: stranger.href }), { code: 'ERR_VC_REGISTRY', message: /\(08P01: .*(user|auth)/i }, 'and why');
  const registry = await DeviceRegistry.open({ url: through.href });
  t.teardown(() => registry.close());
  const before = Date.now();
  await Promise.all(['ab', 'cd', 'ef'].map((byte) => registry.allowRuntime('linux', byte.repeat(32), { label: byte })));
  const runtimes = await registry.listRuntimes();
  t.same(runtimes.map(({ label }) => label).sort(), ['ab', 'cd', 'ef']);
  for (const { allowedAt } of runtimes) t.ok(Math.abs(allowedAt.getTime() - before) < 3_600_000, String(allowedAt));
});

void t.test('a session is set by statements: a pooler before the server knows few parameters of a connection', async (t) => {
  let startup = Buffer.alloc(0);
  const { port } = await tcpServer(t, (socket) => {
    socket.once('data', (bytes) => {
      startup = bytes;
      socket.destroy();
    });
  });
  await t.rejects(DeviceRegistry.open({ url: `postgres://me@127.0.0.1:${port}/attest?sslmode=disable` }), { code: 'ERR_VC_REGISTRY' });
  const names = startup
    .subarray(8)
    .toString('latin1')
    .split('\0')
    .filter((text, index) => index % 2 === 0 && text !== '');
  // What PgBouncer takes when nothing is configured.
  const known = [
    'user',
    'database',
    'client_encoding',
    'application_name',
    'datestyle',
    'timezone',
    'standard_conforming_strings',
    'replication',
  ];
  t.same(
    names.filter((name) => !known.includes(name.toLowerCase())),
    [],
  );
  t.ok(names.includes('user'));
});
