/** bincode that is broken, cut or odd: the golden vectors, each on a link of its own (wire spec §D.1). */

import { REQUEST_KINDS, type RequestKind } from '../../layers/bincode/index.js';
import { DIALECTS, type Dialect } from '../../layers/formats/dialect.js';
import { type Case, CaseFailed, passed, stricter } from '../case.js';
import { nameOf } from '../peers/link.js';
import { negativeVectors, type OddVector } from '../vectors.js';
import type { ManagerContext } from './context.js';

/** Requests that change what the other cases meet, and are not carried out by the way. */
const WEIGHTY: readonly RequestKind[] = ['Attestation', 'Initialize', 'ResetEnclave'];

function casesOf(dialect: Dialect): Case<ManagerContext>[] {
  const vectors = negativeVectors(dialect, 'bincode', 'RuntimeManagerRequest');
  return vectors
    .filter((vector) => vector.refused || !WEIGHTY.includes(kindOf(vector, dialect)))
    .map((vector) => (vector.refused ? refused(vector, dialect) : odd(vector, dialect)));
}

function kindOf({ hex }: OddVector, dialect: Dialect): RequestKind {
  return REQUEST_KINDS[dialect][Buffer.from(hex, 'hex').readUInt32LE()] as RequestKind;
}

const nameIn = ({ name }: OddVector) => `bincode.${name.split('/').at(-1)}`;

function refused(vector: OddVector, dialect: Dialect): Case<ManagerContext> {
  return {
    name: nameIn(vector),
    section: 'D.1',
    level: 'robust',
    dialects: [dialect],
    expects: 'Bytes that are no request: Status Fail, or the link ends; the manager goes on.',
    run: async (context, scope) => {
      const link = await context.ownLink(scope);
      link.pipe.write(link.framed(Buffer.from(vector.hex, 'hex')));
      const refusal = await link.refuses();
      if (refusal === undefined) throw new CaseFailed('neither an answer nor an end: the manager hangs');
      link.pipe.destroy();
      await context.answers(scope);
      return passed(refusal);
    },
  };
}

function odd(vector: OddVector, dialect: Dialect): Case<ManagerContext> {
  return {
    name: nameIn(vector),
    section: 'D.1',
    level: 'wire',
    dialects: [dialect],
    expects: 'Surplus bytes behind a request are ignored. Stricter: they are refused.',
    run: async (context, scope) => {
      const link = await context.ownLink(scope);
      const plain = Buffer.from(vector.canonical, 'hex');
      link.pipe.write(link.framed(plain));
      const expected = nameOf(await link.answer());
      link.pipe.write(link.framed(Buffer.from(vector.hex, 'hex')));
      if (!(await link.pipe.comes((bytes) => bytes.length > 0)) && link.pipe.over) return stricter('the link ended');
      const got = nameOf(await link.answer());
      if (got === expected) return passed(got);
      if (got === 'Status Fail') return stricter(got);
      throw new CaseFailed(`${got}, and without the surplus bytes ${expected}`);
    },
  };
}

/** The vectors of 2207-nitro are those of 2207. */
function merged(): Case<ManagerContext>[] {
  const [same, head] = [casesOf('2207'), casesOf('head')];
  return [...same.map((item) => ({ ...item, dialects: DIALECTS.filter((dialect) => dialect !== 'head') })), ...head];
}

export const BINCODE_CASES: readonly Case<ManagerContext>[] = merged();
