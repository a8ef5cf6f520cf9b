/**
 * A small table language for JSON documents: one table gives the reader, the TypeScript type and the JSON Schema, so that
 * the three cannot part. No code is generated.
 */
import { VeracruzError } from '../../core/errors.js';
import { type Faults, pointer } from './faults.js';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** What one key may hold. */
export interface Shape<T> {
  /** The same for editors; it knows less than `read`. */
  readonly schema: JsonSchema;
  /** What an absent key counts as; without it the key is required. */
  readonly absent?: { readonly value: T };
  /** The value; faulty parts of it are told to `faults` and are undefined in it. */
  readonly read: (value: unknown, at: string, faults: Faults) => T | undefined;
}

type Shapes = Readonly<Record<string, Shape<unknown>>>;
/** What a shape reads. */
export type Read<S> = S extends Shape<infer T> ? T : never;
type ReadAll<S extends Shapes> = { readonly [K in keyof S]: Read<S[K]> };

/** Longest text that a fault quotes, characters. */
const MAX_QUOTED = 64;

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string' && value.length > MAX_QUOTED) return `a text of ${value.length} characters`;
  return typeof value === 'object' ? 'an object' : JSON.stringify(value);
}

const mustBe = (what: string, value: unknown) => `must be ${what}, got ${describe(value)}`;

/** Texts that match `pattern`, if there is one, and that `parse` takes; it may give another form, and throws to refuse. */
export function text(options: {
  description: string;
  /** Completes "must be …". Default: a text. */
  what?: string;
  pattern?: RegExp;
  parse?: (text: string) => string;
}): Shape<string> {
  const { description, what = 'a text', pattern, parse } = options;
  return {
    schema: { description, type: 'string', ...(pattern && { pattern: pattern.source }) },
    read(value, at, faults) {
      if (typeof value !== 'string' || pattern?.test(value) === false) {
        faults.add(at, mustBe(what, value));
        return undefined;
      }
      try {
        return parse === undefined ? value : parse(value);
      } catch (thrown) {
        if (!(thrown instanceof VeracruzError)) throw thrown;
        faults.add(at, mustBe(`${what}: ${thrown.message}`, value));
        return undefined;
      }
    },
  };
}

/** Whole numbers from `min` to `max`. */
export function integer(description: string, min: number, max: number): Shape<number> {
  return {
    schema: { description, type: 'integer', minimum: min, maximum: max },
    read(value, at, faults) {
      if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
      faults.add(at, mustBe(`a whole number from ${min} to ${max}`, value));
      return undefined;
    },
  };
}

export function boolean(description: string): Shape<boolean> {
  return {
    schema: { description, type: 'boolean' },
    read(value, at, faults) {
      if (typeof value === 'boolean') return value;
      faults.add(at, mustBe('true or false', value));
      return undefined;
    },
  };
}

/** One of a few texts. */
export function choice<const T extends string>(description: string, choices: readonly T[]): Shape<T> {
  return {
    schema: { description, enum: choices },
    read(value, at, faults) {
      const found = choices.find((one) => one === value);
      if (found === undefined) faults.add(at, mustBe(choices.map((one) => JSON.stringify(one)).join(' or '), value));
      return found;
    },
  };
}

/** Looks at the items of a list together. Faulty parts of them are undefined. */
type ListCheck<T> = (items: readonly (Partial<T> | undefined)[], at: string, faults: Faults) => void;

export function list<T>(description: string, item: Shape<T>, ...checks: ReadonlyArray<ListCheck<T>>): Shape<readonly T[]> {
  return {
    schema: { description, type: 'array', items: item.schema },
    read(value, at, faults) {
      if (!Array.isArray(value)) {
        faults.add(at, mustBe('a list', value));
        return undefined;
      }
      const items = value.map((one, index) => item.read(one, pointer(at, index), faults));
      for (const check of checks) check(items, at, faults);
      return Object.freeze(items as T[]);
    },
  };
}

/** No two items of the list may have the same value under `key`; `formOf` gives what is the same however a value is written. */
export function distinct<K extends string>(
  key: K,
  formOf: (value: string) => string = (value) => value,
): ListCheck<Readonly<Record<K, string | number>>> {
  return (items, at, faults) => {
    const first = new Map<string, number>();
    for (const [index, item] of items.entries()) {
      const value = item?.[key];
      if (value === undefined) continue;
      const form = formOf(String(value));
      const before = first.get(form);
      if (before === undefined) first.set(form, index);
      else faults.add(`${at}/${index}/${key}`, `is ${describe(value)}, as in ${at}/${before}: each may stand once`);
    }
  };
}

/** Looks at the values of an object together. Faulty ones are undefined. */
type ObjectCheck<T> = (value: Partial<T>, at: string, faults: Faults) => void;

/** Objects with these keys. Others are ignored, as the original does (wire spec §E). */
export function object<S extends Shapes>(description: string, keys: S, check?: ObjectCheck<ReadAll<S>>): Shape<ReadAll<S>> {
  const required = Object.keys(keys).filter((key) => keys[key]?.absent === undefined);
  const properties = Object.fromEntries(Object.entries(keys).map(([key, { schema }]) => [key, schema]));
  return {
    schema: { description, type: 'object', required, properties },
    read(value, at, faults) {
      if (!isObject(value)) {
        faults.add(at, mustBe('an object', value));
        return undefined;
      }
      const entries = Object.entries(keys).map(([key, { read, absent }]) => {
        if (Object.hasOwn(value, key)) return [key, read(value[key], pointer(at, key), faults)];
        if (absent === undefined) faults.add(pointer(at, key), 'is missing');
        return [key, absent?.value];
      });
      const read = Object.fromEntries(entries) as ReadAll<S>;
      check?.(read, at, faults);
      return Object.freeze(read);
    },
  };
}

/** An object with exactly one of these keys: how serde writes an enum whose variants carry something. */
export function variant<S extends Shapes>(description: string, kinds: S): Shape<{ [K in keyof S]: ReadAll<Pick<S, K>> }[keyof S]> {
  const names = Object.keys(kinds);
  return {
    schema: {
      description,
      oneOf: names.map((name) => ({
        type: 'object',
        required: [name],
        properties: { [name]: kinds[name]?.schema },
        additionalProperties: false,
      })),
    },
    read(value, at, faults) {
      const [name, ...others] = isObject(value) ? Object.keys(value) : [];
      const kind = name !== undefined && Object.hasOwn(kinds, name) ? kinds[name] : undefined;
      if (name === undefined || kind === undefined || others.length > 0) {
        faults.add(at, mustBe(`an object with one key, which is ${names.join(' or ')}`, value));
        return undefined;
      }
      const inner = kind.read((value as Record<string, unknown>)[name], pointer(at, name), faults);
      return Object.freeze({ [name]: inner }) as { [K in keyof S]: ReadAll<Pick<S, K>> }[keyof S];
    },
  };
}

/** An `Option` of the original: the key may be absent or null, both of which are null here. */
export function optional<T>(shape: Shape<T>): Shape<T | null> {
  return {
    schema: { ...shape.schema, type: [shape.schema.type, 'null'] },
    absent: { value: null },
    read: (value, at, faults) => (value === null ? null : shape.read(value, at, faults)),
  };
}

/** A key that only one dialect has: it may be absent, and counts as `value` then. */
export function absentAs<T>(shape: Shape<T>, value: T): Shape<T> {
  return { ...shape, absent: { value } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
