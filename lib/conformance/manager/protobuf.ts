/** The golden vectors of requests, and those that are broken or odd (wire spec §A.2 to §A.6). */
import { DIALECTS, type Dialect } from '../../layers/formats/dialect.js';
import { decodeMessage } from '../../layers/protobuf/index.js';
import { type Case, expect, passed, stricter } from '../case.js';
import { statusOf, type Visitor } from '../peers/visitor.js';
import type { Scope } from '../scope.js';
import { type MessageVector, messageVectors, negativeVectors, type OddVector } from '../vectors.js';
import type { ManagerContext } from './context.js';
import { framedMessage } from './messages.js';

type ManagerCase = Case<ManagerContext>;

/** Arms that end the manager, or are answered when a program has run. */
const NOT_BY_THE_WAY = ['request_shutdown'];
const ENVELOPE = 'RuntimeManagerRequest';

/** One case for each arm: all of its vectors in one session after the other. */
function armCases(dialect: Dialect): ManagerCase[] {
  const byArm = new Map<string, MessageVector[]>();
  for (const vector of messageVectors(dialect, ENVELOPE)) {
    const arm = vector.arm ?? 'none';
    if (NOT_BY_THE_WAY.includes(arm)) continue;
    byArm.set(arm, [...(byArm.get(arm) ?? []), vector]);
  }
  return [...byArm].map(([arm, vectors]) => ({
    name: `vectors.${arm}`,
    section: 'A.4',
    level: 'wire',
    dialects: [dialect],
    expects: `Each golden vector of ${arm} is a request: it is carried out, or refused by a status or by the end of its session; none hangs.`,
    run: async (context, scope) => {
      let visitor = await context.visit(scope);
      for (const { name, hex } of vectors) {
        const reply = await visitor.tell(framedMessage(hex));
        expect(arm === 'none' ? statusOf(reply) !== 'SUCCESS' : true, `${name}: no arm, and SUCCESS`);
        visitor = await going(visitor, context, scope);
      }
      await context.serves(scope);
      return passed(`${vectors.length} vectors`);
    },
  }));
}

/** A vector and its canonical bytes, as a case may send them. */
interface Pair {
  readonly wire: string;
  readonly plain: string;
}

/** request_policy_hash, empty: the arm that makes a request of what has none. */
const ARM = '5200';

/**
 * Several vectors are a request_shutdown (tag 42), because nothing is shorter. It would end the manager, so they are sent as
 * request_policy_hash (tag 52), which is as empty. Undefined: it would still be one. A vector without an arm would be refused for
 * that alone, so it gets one behind it.
 */
function harmless({ hex, canonical }: OddVector): Pair | undefined {
  const pair = { wire: hex, plain: canonical };
  const arm = armOf(pair.plain);
  if (arm === null) return { wire: pair.wire + ARM, plain: pair.plain + ARM };
  if (arm !== 'request_shutdown') return pair;
  const put = (digits: string) => digits.replace('4200', '5200').replace('428000', '528000').replace('c2800000', 'd2800000');
  const other = { wire: put(pair.wire), plain: put(pair.plain) };
  return armOf(other.plain) === 'request_shutdown' ? undefined : other;
}

function armOf(hex: string): string | null {
  return decodeMessage(ENVELOPE, Buffer.from(hex, 'hex')).oneof;
}

const nameIn = ({ name }: OddVector) => `protobuf.${name.split('/').at(-1)}`;

/** The broken and odd bytes were read as 2207. They mean the same in head, but for one arm and a few habits of its parser. */
function negativeCases(): ManagerCase[] {
  return negativeVectors('2207', 'protobuf', ENVELOPE).flatMap((vector) => {
    const dialects = vector.otherwiseInHead || vector.name.includes('head-') ? OF_2207 : DIALECTS;
    if (vector.refused) return [broken(vector, dialects)];
    const pair = harmless(vector);
    return pair === undefined ? [] : [odd(vector, pair, dialects)];
  });
}

/** The session, or a new one where a refusal has ended it. */
async function going(visitor: Visitor, context: ManagerContext, scope: Scope): Promise<Visitor> {
  return visitor.over === undefined ? visitor : context.visit(scope);
}

function broken(vector: OddVector, dialects: readonly Dialect[]): ManagerCase {
  return {
    name: nameIn(vector),
    section: 'A.6',
    level: 'robust',
    dialects,
    expects: 'Bytes that are no message are refused: by a status, or by the end of their session.',
    run: async (context, scope) => {
      const visitor = await context.visit(scope);
      const reply = await visitor.tell(framedMessage(vector.hex));
      expect(statusOf(reply) !== 'SUCCESS', 'SUCCESS');
      const next = await (await going(visitor, context, scope)).tell(framedMessage(ARM));
      expect(statusOf(next) === 'SUCCESS', `the next request: ${statusOf(next)}`);
      return passed(statusOf(reply));
    },
  };
}

function odd(vector: OddVector, { wire, plain }: Pair, dialects: readonly Dialect[]): ManagerCase {
  return {
    name: nameIn(vector),
    section: 'A.6',
    level: 'wire',
    dialects,
    expects: 'These bytes mean the same as the canonical ones of their message, and are answered alike. Stricter: they are refused.',
    run: async (context, scope) => {
      const visitor = await context.visit(scope);
      const expected = statusOf(await visitor.tell(framedMessage(plain)));
      const got = statusOf(await (await going(visitor, context, scope)).tell(framedMessage(wire)));
      if (got === expected) return passed(got);
      expect(got !== 'SUCCESS', `SUCCESS, and ${expected} for the canonical bytes`);
      return stricter(`${got}, and ${expected} for the canonical bytes`);
    },
  };
}

const OF_2207 = DIALECTS.filter((dialect) => dialect !== 'head');

export const PROTOBUF_CASES: readonly ManagerCase[] = [
  ...armCases('2207').map((item) => ({ ...item, dialects: OF_2207 })),
  ...armCases('head'),
  ...negativeCases(),
];
