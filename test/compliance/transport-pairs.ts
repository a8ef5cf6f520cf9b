/** The two ends of a pipe of any transport, and conversations over it. */
import type { Duplex } from 'node:stream';
import type { VeracruzError } from '../../lib/core/errors.js';
import { BOUNDARY } from '../../lib/core/unit.js';
import { written } from '../../lib/core/written.js';
import type { AnyAddress, ListenerAt } from '../../lib/transports/transport.js';
import { until } from '../support/foreign.js';
import type { Site, T, TransportCase } from './transport-cases.js';

/** What one end of a pipe has heard. It reads from the moment it is made. */
export class Ear {
  readonly pipe: Duplex;
  readonly items: unknown[] = [];
  /** Bytes so far. */
  length = 0;
  units = 0;
  ended = false;
  closed = false;
  error: VeracruzError | undefined;

  constructor(pipe: Duplex) {
    this.pipe = pipe;
    pipe.on('data', (item: unknown) => {
      this.items.push(item);
      if (Buffer.isBuffer(item)) this.length += item.length;
      else this.units++;
    });
    pipe.on('end', () => {
      this.ended = true;
    });
    pipe.on('close', () => {
      this.closed = true;
    });
    pipe.on('error', (error: VeracruzError) => {
      this.error = error;
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.items.filter((item): item is Buffer => Buffer.isBuffer(item)));
  }

  /** The bytes of each unit. What no BOUNDARY has ended yet is the last. */
  get bodies(): Buffer[] {
    const bodies: Buffer[][] = [[]];
    for (const item of this.items) {
      if (Buffer.isBuffer(item)) (bodies.at(-1) as Buffer[]).push(item);
      else bodies.push([]);
    }
    return bodies.map((body) => Buffer.concat(body));
  }
}

/** A pipe from end to end: `near` is the dialling one (of a console, the guest's), `far` the one that was waited for. */
export interface Pair {
  readonly near: Duplex;
  /** Of a transport that dials at the first write: there after that. */
  readonly far: () => Promise<Duplex>;
  readonly listener: ListenerAt<AnyAddress>;
  /** What is left when all is closed. */
  readonly leftovers: () => readonly string[];
}

/** The address of a listener, to be dialled. */
export function dialable({ transport }: TransportCase, address: AnyAddress): AnyAddress {
  return { ...address, kind: transport.scheme };
}

/** Listens at `site`, hands the pipes over in order, and closes with the test. */
export async function listening(
  t: T,
  { transport }: TransportCase,
  site: Site,
  options: object = {},
): Promise<{ listener: ListenerAt<AnyAddress>; pipes: Duplex[] }> {
  const pipes: Duplex[] = [];
  const onPipe = (pipe: Duplex) => {
    pipes.push(pipe.on('error', () => {}));
  };
  const listener = await transport.listen(site.address, onPipe, { ...site.listenOptions, ...options });
  t.teardown(async () => {
    for (const pipe of pipes) pipe.destroy();
    await listener.close();
  });
  return { listener, pipes };
}

export async function connected(t: T, one: TransportCase, site: Site = one.site(t)): Promise<Pair> {
  const { listener, pipes } = await listening(t, one, site);
  const leftovers = site.leftovers ?? (() => []);
  const first = async (what: string) => {
    await until(what, () => pipes.length > 0);
    return pipes[0] as Duplex;
  };
  const { peer } = site;
  if (peer !== undefined) {
    t.teardown(() => peer.on('error', () => {}).destroy());
    return { near: await first('the link'), far: () => Promise.resolve(peer), listener, leftovers };
  }
  const near: Duplex = await (one.transport.dial as NonNullable<typeof one.transport.dial>)(dialable(one, listener.address), {});
  t.teardown(() => near.on('error', () => {}).destroy());
  return { near, far: () => first('the pipe of the listener'), listener, leftovers };
}

/** One unit: its bytes, in the pieces that they are written in. */
export type Unit = readonly Buffer[];

export const joinedBytes = (units: readonly Unit[]): Buffer => Buffer.concat(units.flat());

/**
 * Both ends say what they have to say, at once: `up` from the near end to the far one, `down` back. Where the pipe carries
 * units, each of `up` is answered by one of `down`, and there are as many.
 */
export async function converse({ transport }: TransportCase, pair: Pair, up: readonly Unit[], down: readonly Unit[]): Promise<[Ear, Ear]> {
  const nearEar = new Ear(pair.near);
  const whole = ({ length, units }: Ear, said: readonly Unit[]) =>
    length === joinedBytes(said).length && (transport.carries === 'bytes' || units === said.length);
  const saying = transport.carries === 'bytes' ? say(pair.near, up.flat()) : say(pair.near, up.flatMap(bounded));
  const farEar = new Ear(await pair.far());
  const answering = transport.carries === 'bytes' ? say(farEar.pipe, down.flat()) : answer(farEar, down);
  await Promise.all([saying, answering]);
  await until('all to be heard', () => (whole(farEar, up) && whole(nearEar, down)) || nearEar.closed || farEar.closed);
  return [nearEar, farEar];
}

const bounded = (unit: Unit): unknown[] => [...unit, BOUNDARY];

export async function say(pipe: Duplex, items: readonly unknown[]): Promise<void> {
  for (const item of items) await written(pipe, item as Buffer);
}

async function answer(ear: Ear, units: readonly Unit[]): Promise<void> {
  for (const [i, unit] of units.entries()) {
    await until('the question', () => ear.units > i || ear.closed);
    if (ear.closed) return;
    await say(ear.pipe, bounded(unit));
  }
}

/** Bytes that differ from place to place. */
export function pattern(length: number, start = 0): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = ((start + i) * 31 + ((start + i) >> 8)) & 0xff;
  return bytes;
}

/** What the process has open, by kind; a socket, a pipe or a server that a test has left shows here. */
export function openHandles(): string {
  return process
    .getActiveResourcesInfo()
    .filter((kind) => /TCP|Pipe|TTY|Connect/.test(kind))
    .sort()
    .join(' ');
}
