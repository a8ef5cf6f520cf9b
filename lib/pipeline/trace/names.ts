import { BODY_END, BOUNDARY, END_OF_MESSAGE, FLUSH } from '../../core/unit.js';

/** Characters of a name that are kept. */
const NAME_CHARS = 64;

/** Marks, as traces name them. */
export const MARKS: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [END_OF_MESSAGE, 'end-of-message'],
  [FLUSH, 'flush'],
]);

/** Bounds behind a unit, as traces name them. */
export const BOUNDS: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [BOUNDARY, 'boundary'],
  [BODY_END, 'body-end'],
]);

/** What a message is called, and the status that it carries. */
export interface MessageName {
  readonly message: string;
  readonly status?: string;
}

/**
 * The name of a message: the arm of a protobuf envelope (`oneof`), the kind of a bincode message (`kind`), or for one that has
 * neither its status, and without one `message`.
 */
export function nameOf(item: unknown): MessageName {
  const { oneof, kind, status } = (typeof item === 'object' && item !== null ? item : {}) as Record<string, unknown>;
  const [name, told] = [textOf(oneof) ?? textOf(kind), textOf(status)];
  return name === undefined || told === undefined ? { message: name ?? told ?? 'message' } : { message: name, status: told };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, NAME_CHARS) : undefined;
}
