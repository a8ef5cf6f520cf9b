/** What is done to a session: one thing, at one place. */
import type { UnitKind } from './units.js';

/** How a client reaches its manager: the dialect, and HTTP or plain TCP to the Server. */
export type Road = '2207' | 'head' | 'head direct';
export const ROADS: readonly Road[] = ['2207', 'head', 'head direct'];

/** A direction of one of the two connections that a session goes over. */
export type Way = 'client to Server' | 'Server to client' | 'Server to manager' | 'manager to Server';
export const WAYS: readonly Way[] = ['client to Server', 'Server to client', 'Server to manager', 'manager to Server'];

/** At the byte `at` of a way. `cut` ends the connection in order there, `reset` does not; `flip` changes one bit. */
export const BYTE_DEEDS = ['cut', 'reset', 'flip', 'delete', 'duplicate'] as const;
/** To the unit `at` of a way. `hold`: it and all behind it never arrive. */
export const UNIT_DEEDS = ['drop', 'duplicate', 'swap', 'hold'] as const;

export type Case = { readonly road: Road; readonly way: Way; readonly at: number } & (
  | { readonly unit: 'byte'; readonly deed: (typeof BYTE_DEEDS)[number] }
  | { readonly unit: Unit; readonly deed: (typeof UNIT_DEEDS)[number] }
);

/** `enclosed`: the TLS records in the bodies of HTTP messages. */
export type Unit = UnitKind | 'enclosed';

/** The units of a way. */
export function unitsOf(road: Road, way: Way): readonly Unit[] {
  if (way === 'Server to manager' || way === 'manager to Server') return ['frame'];
  return road === 'head direct' ? ['record'] : ['message', 'enclosed'];
}

export function nameOf({ road, way, unit, deed, at }: Case): string {
  return `${road}, ${way}: ${deed} ${unit} ${at}`;
}
