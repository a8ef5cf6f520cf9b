/** The events of stacks on `node:diagnostics_channel`. An event is made only when someone has subscribed. */

import { channel } from 'node:diagnostics_channel';
import { clock } from '../core/clock.js';
import type { Connection } from '../core/connection.js';
import type { VeracruzError } from '../core/errors.js';
import type { Traffic } from '../core/traffic.js';

/** The names of the channels. Each message on them is a `StackEvent`. */
export const DIAGNOSTICS = Object.freeze({
  open: 'veracruz-streams:stack:open',
  traffic: 'veracruz-streams:stack:traffic',
  error: 'veracruz-streams:stack:error',
  close: 'veracruz-streams:stack:close',
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

const channels = {
  open: channel(DIAGNOSTICS.open),
  traffic: channel(DIAGNOSTICS.traffic),
  error: channel(DIAGNOSTICS.error),
  close: channel(DIAGNOSTICS.close),
};

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
