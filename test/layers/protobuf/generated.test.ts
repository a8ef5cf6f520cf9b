import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { DIALECTS } from '../../../lib/layers/formats/dialect.js';
import { BULK_FIELDS, ENVELOPES, envelopeTable, ONLY_IN, VARINT } from '../../../lib/layers/protobuf/schema.js';
import { PROJECT_ROOT } from '../../support/golden.js';
import '../../support/processes.js';

const generate = (...args: string[]) =>
  spawnSync(process.execPath, ['proto/generate.js', ...args], { cwd: PROJECT_ROOT, encoding: 'utf8' });

void t.test('the generated files are those of the .proto', async (t) => {
  t.match(generate('--check'), { status: 0, stderr: '' });
});

void t.test('another .proto is noticed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'proto-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const changed = join(folder, 'changed.proto');
  const source = readFileSync(join(PROJECT_ROOT, 'proto', 'transport_protocol.proto'), 'utf8');
  writeFileSync(changed, source.replace('bytes csr = 3;', 'bytes csr = 4;'));
  t.match(generate('--check', changed), { status: 1, stderr: /not up to date with changed\.proto: schema\.generated\.js, descriptor/ });
});

void t.test('copies lie beside what tsc wrote, and wrong use is told', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'proto-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  execFileSync(process.execPath, ['proto/generate.js', '--copy', join(folder, 'new')], { cwd: PROJECT_ROOT });
  const lib = join(PROJECT_ROOT, 'lib', 'layers', 'protobuf');
  for (const name of ['schema.generated.js', 'descriptor.generated.js', 'schema.generated.d.ts', 'descriptor.generated.d.ts']) {
    t.equal(readFileSync(join(folder, 'new', name), 'utf8'), readFileSync(join(lib, name), 'utf8'), name);
  }
  t.match(generate('--copy'), { status: 2, stderr: /usage/ });
});

void t.test('what the coders take for granted of the schema', async (t) => {
  for (const dialect of DIALECTS) {
    for (const envelope of ENVELOPES) {
      const table = envelopeTable(envelope, dialect);
      t.ok(
        table.fields.every((field) => field.table !== undefined || field.wire === VARINT),
        'envelopes have arms and varints only',
      );
      for (const { table: arm } of table.fields) {
        if (arm === undefined) continue;
        t.ok(
          arm.fields.every((field) => field.table === undefined && field.type !== 'enum'),
          'arms have no messages inside',
        );
        const last = arm.fields.reduce((a, b) => (b.number > a.number ? b : a), arm.fields[0] as (typeof arm.fields)[0]);
        if (arm.bulk !== undefined) t.equal(arm.bulk, last, 'a bulk field is the last of its message');
        if (Object.hasOwn(BULK_FIELDS, arm.name)) t.not(arm.bulk, undefined);
      }
    }
  }
  t.equal(envelopeTable('RuntimeManagerRequest', '2207').byName.has('request_pipeline'), false);
  t.equal(envelopeTable('RuntimeManagerRequest', 'head').byNumber.get(12)?.name, 'request_pipeline');
  for (const dialects of Object.values(ONLY_IN)) t.ok(dialects.every((dialect) => DIALECTS.includes(dialect)));
});
