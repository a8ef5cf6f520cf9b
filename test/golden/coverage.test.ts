/** Everything that can be said on the wire has a golden vector: each arm of each envelope, each bincode variant, each status. */
import t from 'tap';
import { REQUEST_KINDS, RESPONSE_KINDS, STATUSES } from '../../lib/layers/bincode/index.js';
import { DIALECTS, type Dialect } from '../../lib/layers/formats/dialect.js';
import { ENVELOPES, envelopeTable } from '../../lib/layers/protobuf/index.js';
import { dialectOf } from '../layers/bincode/from-golden.js';
import { type Vector, vectors } from '../support/golden.js';

/** What a vector says, e.g. `2207 RuntimeManagerRequest write_file`. */
function saidBy({ dialect, value, layer }: Vector): string {
  const what = typeof value === 'string' ? `Status ${value}` : `${value.type} ${layer === 'bincode' ? value.variant : value.oneof}`;
  return `${dialectOf(dialect)} ${what}`;
}

const missing = (all: readonly string[], layer: Vector['layer']) => {
  const said = new Set(vectors(layer).map(saidBy));
  return all.filter((one) => !said.has(one));
};

/** The vectors of 2207 serve for 2207-nitro where the two do not differ; a test sees to it that they do not. */
const TOLD_APART: readonly Dialect[] = DIALECTS.filter((dialect) => dialect !== '2207-nitro');
const armsOf = (dialect: Dialect) =>
  ENVELOPES.flatMap((envelope) =>
    envelopeTable(envelope, dialect)
      .fields.filter(({ type }) => type === 'message')
      .map(({ name }) => `${envelope} ${name}`),
  );

void t.test('every arm of every envelope has a vector, in each dialect', async (t) => {
  const all = TOLD_APART.flatMap((dialect) => armsOf(dialect).map((arm) => `${dialect} ${arm}`));
  t.equal(all.length, 21 + 22, 'arms of 2207 and of head');
  t.same(missing(all, 'protobuf'), []);
  t.same(armsOf('2207-nitro'), armsOf('2207'), '2207-nitro has those of 2207');
});

void t.test('every bincode variant and status has a vector, in each dialect', async (t) => {
  const requests = TOLD_APART.flatMap((dialect) => REQUEST_KINDS[dialect].map((kind) => `${dialect} RuntimeManagerRequest ${kind}`));
  // The answer to Attestation differs in 2207-nitro.
  const responses = DIALECTS.flatMap((dialect) => RESPONSE_KINDS[dialect].map((kind) => `${dialect} RuntimeManagerResponse ${kind}`));
  const statuses = STATUSES.map((status) => `2207 Status ${status}`);
  t.equal(requests.length + responses.length + statuses.length, 8 + 6 + 5 + 5 + 4 + 3);
  t.same(missing([...requests, ...responses, ...statuses], 'bincode'), []);
  t.same(REQUEST_KINDS['2207-nitro'], REQUEST_KINDS['2207'], '2207-nitro has the requests of 2207');
});

void t.test('an arm or a variant without a vector is found', async (t) => {
  t.same(missing(['2207 RuntimeManagerRequest no_such_arm', '2207 RuntimeManagerRequest write_file'], 'protobuf'), [
    '2207 RuntimeManagerRequest no_such_arm',
  ]);
  t.same(missing(['head RuntimeManagerRequest ResetEnclave'], 'bincode'), ['head RuntimeManagerRequest ResetEnclave']);
});
