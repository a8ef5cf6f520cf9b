/** The events of stacks on `node:diagnostics_channel`. An event is made only when someone has subscribed. */

import { channel } from 'node:diagnostics_channel';
import { clock } from '../core/clock.js';
import type { Connection } from '../core/connection.js';
import type { VeracruzError } from '../core/errors.js';
import type { Traffic } from '../core/traffic.js';

/** The names of the channels. Each message on `item` is an `ItemEvent`, each on the others a `StackEvent`. */
export const DIAGNOSTICS = Object.freeze({
  open: 'veracruz-streams:stack:open',
  traffic: 'veracruz-streams:stack:traffic',
  error: 'veracruz-streams:stack:error',
  close: 'veracruz-streams:stack:close',
  /** What passes between layers. A stack publishes it if someone had subscribed when the stack was opened. */
  item: 'veracruz-streams:layer:item',
});

/** Milliseconds between two `traffic` messages of one stack. */
const TRAFFIC_INTERVAL_MS = 1000;

/** The counters of one layer: `outbound` is towards the wire, `inbound` comes from it. */
export interface LayerTraffic {
  readonly layer: string;
  readonly outbound: Readonly<Traffic>;
  readonly inbound: Readonly<Traffic>;
}

/** The part of a running stack that diagnostics need. */
interface Watched {
  readonly connection: Connection;
  traffic(): LayerTraffic[];
}

/** What is published on the channels of `DIAGNOSTICS`. */
export interface StackEvent {
  /** `Connection.id`. */
  readonly connection: number;
  readonly session: string | undefined;
  /** Counters of every layer, top to wire. */
  readonly traffic: ReturnType<Watched['traffic']>;
  /** Only in `error` events. */
  readonly error?: VeracruzError;
}

/** `outbound` is towards the wire, `inbound` comes from it. */
export type Direction = 'outbound' | 'inbound';

/**
 * One item passes from one layer of a stack to the next. Each item is published once on its way between two neighbours, before
 * the one that gets it has it. So the bytes of all events from a layer are its `bytesOut` in `Channel.traffic()`, and the bytes
 * of all events to a layer are its `bytesIn` once it has taken them.
 */
export interface ItemEvent {
  /** `Connection.id`. */
  readonly connection: number;
  readonly session: string | undefined;
  readonly direction: Direction;
  /** Name of the layer that gives the item; `application` above the top layer, `pipe` below the bottom one. */
  readonly from: string;
  /** Name of the layer that gets the item; `pipe` or `application` at the ends. */
  readonly to: string;
  /** Milliseconds by the monotonic clock of the process. */
  readonly time: number;
  /** Number of bytes; undefined for an item that is no bytes: a message, a bound, a mark. */
  readonly bytes: number | undefined;
  /** The item itself, not a copy. Whoever looks at it must not change it, and must copy what is to be kept. */
  readonly item: unknown;
}

const channels = {
  open: channel(DIAGNOSTICS.open),
  traffic: channel(DIAGNOSTICS.traffic),
  error: channel(DIAGNOSTICS.error),
  close: channel(DIAGNOSTICS.close),
};

/** On it, events are of another kind than on the others. */
const items = channel(DIAGNOSTICS.item);

/** Whether somebody wants to know of items. */
export function itemsWanted(): boolean {
  return items.hasSubscribers;
}

export function publishItem(event: ItemEvent): void {
  items.publish(event);
}

function publish(name: keyof typeof channels, stack: Watched, error?: VeracruzError): void {
  if (!channels[name].hasSubscribers) return;
  const event: StackEvent = {
    connection: stack.connection.id,
    session: stack.connection.session,
    traffic: stack.traffic(),
    ...(error && { error }),
  };
  channels[name].publish(event);
}

export function announceOpen(stack: Watched): void {
  publish('open', stack);
}

export function announceError(stack: Watched, error: VeracruzError): void {
  publish('error', stack, error);
}

export function announceClose(stack: Watched): void {
  publish('close', stack);
}

/** Publishes the counters every second, if someone had subscribed when the stack was opened. Returns the function to stop. */
export function watchTraffic(stack: Watched): () => void {
  if (!channels.traffic.hasSubscribers) return () => {};
  const timer = clock.setInterval(() => publish('traffic', stack), TRAFFIC_INTERVAL_MS);
  timer.unref();
  return () => clock.clear(timer);
}
