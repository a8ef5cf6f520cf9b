import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Connection } from '../core/connection.js';
import { InvalidOptionError } from '../core/errors.js';
import type { Layer } from '../core/layer.js';
import { networkOf } from '../core/network.js';
import { Channel, type ChannelOptions } from './channel.js';

/** A layer, whatever is above and below it: `Chained` checks each pair of neighbours. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyLayer = Layer<any, any, any>;

/** The type that a compiler message shows when two neighbours do not fit. */
interface Misordered<Above extends string, Below extends string> {
  readonly 'layers out of order': `${Above} must not stand above ${Below}`;
}

type Gives<L> = L extends Layer<infer _Up, infer Down, infer _Given> ? Down : never;
type Takes<L> = L extends Layer<infer Up, infer _Down, infer _Given> ? Up : never;
type GivesUp<L> = L extends Layer<infer _Up, infer _Down, infer Given> ? Given : never;

/** `L` itself if every layer takes what the layer above it gives. Otherwise a type that no list of layers has. */
export type Chained<L extends readonly AnyLayer[]> = L extends readonly [
  infer Above extends AnyLayer,
  infer Below extends AnyLayer,
  ...infer Rest extends readonly AnyLayer[],
]
  ? [Gives<Above>] extends [Takes<Below>]
    ? readonly [Above, ...Chained<readonly [Below, ...Rest]>]
    : readonly [Above, Misordered<'this layer', 'the next'>, ...Rest]
  : L;

/** The top layer of a list. */
type Top<L extends readonly AnyLayer[]> = L extends readonly [infer First extends AnyLayer, ...infer _] ? First : never;

/** A list of layers, top (application) to bottom (wire). `Up` is what its top layer takes, `Given` what its top layer gives. */
export interface Stack<Up, Given = Up> {
  /** The layers as they were listed. */
  readonly layers: readonly AnyLayer[];
  /**
   * Runs the stack over a byte pipe (a stack that ends in HTTP bodies: over an HTTP transport) and returns its application
   * side, on which `Up` is written and `Given` is read. Each call makes new Transforms. The channel owns `duplex`: if one fails, both are
   * destroyed. After its peer has ended, a socket can still send an answer only if it is half-open (`allowHalfOpen: true`).
   */
  over(duplex: Duplex, options?: ChannelOptions): Channel<Up, Given>;
  /** The list of layers as text: one line for each, top to wire, with the layer's limits. */
  describe(): string;
}

/**
 * Puts layers on top of each other, listed top to wire. A list whose neighbours do not fit does not compile.
 *
 * @example
 * const channel = stack(lengthPrefix(), tls({ role: 'client', certificate, key, authority })).over(socket);
 */
export function stack<const L extends readonly AnyLayer[]>(...layers: L & Chained<L>): Stack<Takes<Top<L>>, GivesUp<Top<L>>> {
  const list: readonly AnyLayer[] = Object.freeze([...(layers as readonly AnyLayer[])]);
  if (list.length === 0) throw new InvalidOptionError('a stack needs at least one layer', { expected: 'layers', got: 0 });
  return Object.freeze({
    layers: list,
    over: (duplex: Duplex, options: ChannelOptions = {}) => {
      const { session, origin = originOf(duplex) } = options;
      return new Channel<Takes<Top<L>>, GivesUp<Top<L>>>(list, duplex, new Connection(session, origin), options);
    },
    describe: () => describe(list),
  });
}

/** The network at the other end, if that can be told. */
function originOf(duplex: Duplex): string {
  return duplex instanceof Socket ? networkOf(duplex.remoteAddress) : '';
}

function describe(layers: readonly AnyLayer[]): string {
  const width = Math.max(...layers.map((layer) => layer.name.length));
  return layers
    .map((layer) => {
      const limits = Object.entries(layer.limits).map(([name, value]) => `${name} ${value}`);
      return `${layer.name.padEnd(width)}  ${limits.join(', ')}`.trimEnd();
    })
    .join('\n');
}
