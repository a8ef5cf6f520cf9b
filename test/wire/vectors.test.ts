/** `veracruz-streams/wire`: the files that it names are there, and its helpers read what the vectors' README says. */
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import {
  asWire,
  dialectOf,
  negativeVectors,
  SCHEMA,
  VECTORS_FOLDER,
  vectorBytes,
  vectors,
  vectorText,
  WIRE_LAYERS,
} from 'veracruz-streams/wire';
import { DIALECTS } from '../../lib/layers/formats/dialect.js';

void t.test('every file of vectors is that of a layer, or negative', async (t) => {
  const files = readdirSync(VECTORS_FOLDER).filter((name) => name.endsWith('.json'));
  t.same(files.sort(), [...WIRE_LAYERS, 'negative'].map((layer) => `${layer}.json`).sort());
  for (const layer of WIRE_LAYERS) {
    t.ok(vectors(layer).length > 0, layer);
    t.ok(vectors(layer).every((vector) => vector.layer === layer));
    t.ok(negativeVectors(layer).length > 0, `${layer}, negative`);
  }
  const negatives = JSON.parse(readFileSync(`${VECTORS_FOLDER}/negative.json`, 'utf8')) as unknown[];
  t.equal(WIRE_LAYERS.flatMap((layer) => negativeVectors<typeof layer>(layer)).length, negatives.length, 'none is left out');
});

void t.test('the schema has the messages of the vectors', async (t) => {
  const schema = readFileSync(SCHEMA, 'utf8');
  for (const type of new Set(vectors('protobuf').map(({ value }) => value.type))) t.match(schema, new RegExp(`^message ${type} `, 'm'));
});

void t.test('dialects are those that options take', async (t) => {
  t.same([...new Set(vectors('bincode').map(({ dialect }) => dialectOf(dialect)))].sort(), [...DIALECTS].sort());
});

void t.test('byte strings and texts, short and by rule', async (t) => {
  t.same(vectorBytes({ hex: '00ff' }), Buffer.from([0, 255]));
  t.same(vectorBytes({ rule: 'i*100+7', length: 4 }), Buffer.from([7, 107, 207, 51]));
  t.throws(() => vectorBytes({ rule: 'i/2', length: 4 }), { message: /^value has the rule i.2, which is unknown/ });
  t.equal(vectorText('text'), 'text');
  t.equal(vectorText({ repeat: 'ab', times: 3 }), 'ababab');
});

void t.test('long bytes are compared by length, hash and both ends', async (t) => {
  const long = vectors('prefix').find(({ wire }) => 'sha256' in wire);
  if (long === undefined) throw new Error('there are vectors of more than 4096 bytes');
  const bytes = Buffer.alloc(5000, 1);
  const wire = asWire(bytes, long.wire);
  t.notSame(wire, long.wire);
  t.match(wire, { length: 5000, head: '01'.repeat(64), tail: '01'.repeat(64), sha256: /^[0-9a-f]{64}$/ });
  t.same(asWire(new Uint8Array([1, 2]), { hex: '' }), { hex: '0102' });
});
