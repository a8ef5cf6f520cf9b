/** The JSON Schema for editors: the file is the one that the table gives, and it agrees with the reader. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import t from 'tap';
import type { Faults } from '../../lib/enclave/policy/faults.js';
import { POLICY_SCHEMA, policyFaults } from '../../lib/enclave/policy/index.js';
import { text as shapeOfText } from '../../lib/enclave/policy/shape.js';
import { PROJECT_ROOT } from '../support/golden.js';
import '../support/long.js';
import { seeded } from '../support/splits.js';
import { goodPolicy, headPolicy, pathsOf } from './policy-support.js';

const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true });
const validate = ajv.compile(POLICY_SCHEMA);

/** The keys that another reader of the schema finds fault with. */
function schemaFaults(policy: unknown): string[] {
  validate(policy);
  return (validate.errors ?? []).map(({ instancePath, keyword, params }) =>
    keyword === 'required' ? `${instancePath}/${params.missingProperty}` : instancePath,
  );
}

void t.test('proto/policy.schema.json is the schema: `veracruz-streams policy schema` prints it', async (t) => {
  t.same(JSON.parse(readFileSync(join(PROJECT_ROOT, 'proto', 'policy.schema.json'), 'utf8')), POLICY_SCHEMA);
});

void t.test('good policies are good by the schema', async (t) => {
  for (const policy of [goodPolicy(), headPolicy(), { ...goodPolicy(), $schema: 'x' }]) t.same(schemaFaults(policy), []);
});

void t.test('each key that is required, or is of one type, is so in both', async (t) => {
  const differences: string[] = [];
  let compared = 0;
  for (const path of pathsOf(headPolicy())) {
    for (const value of [undefined, null, true, -1, 0.5, 4294967296, '', {}, []]) {
      const policy = headPolicy();
      const holder = path.slice(0, -1).reduce((at, name) => at[name], policy);
      if (value === undefined && Array.isArray(holder)) continue;
      if (value === undefined) delete holder[path.at(-1) as string];
      else holder[path.at(-1) as string] = value;
      const ours = policyFaults(JSON.stringify(policy)).length > 0;
      if (ours !== schemaFaults(policy).length > 0) differences.push(`/${path.join('/')} ${JSON.stringify(value)}`);
      compared++;
    }
  }
  t.ok(compared > 500, `${compared} documents`);
  // The schema cannot say that a cipher suite must be known.
  t.same(differences, ['/ciphersuite ""']);
});

void t.test('what the reader takes, the schema takes', async () => {
  const paths = pathsOf(headPolicy());
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.jsonValue({ maxDepth: 2 }), (path, value) => {
      const policy = headPolicy();
      const holder = path.slice(0, -1).reduce((at, name) => at[name], policy);
      holder[path.at(-1) as string] = value;
      const text = JSON.stringify(policy);
      return policyFaults(text).length > 0 || schemaFaults(JSON.parse(text)).length === 0;
    }),
    seeded(3000),
  );
});

void t.test('a fault of the program that reads is no fault of the policy', async (t) => {
  const mistake = new RangeError('of the program');
  const shape = shapeOfText({
    description: 'a text',
    parse: () => {
      throw mistake;
    },
  });
  const told: string[] = [];
  const faults = { add: (at: string) => told.push(at) } as unknown as Faults;
  t.throws(() => shape.read('x', '/key', faults), mistake);
  t.same(told, []);
});
