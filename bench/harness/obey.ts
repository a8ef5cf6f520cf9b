/** The child's side of a part: a process that does what its parent orders over IPC, one order after the other. */
import { tuneV8 } from '../../lib/cli/tune-v8.js';
import { type Profile, Sampler } from './sampler.js';

/** What a part can do, by name. The argument and the answer go through IPC as JSON. */
export type Orders = Readonly<Record<string, (argument: never) => unknown>>;

export interface Order {
  readonly id: number;
  readonly order: string;
  readonly argument: unknown;
}

export type Answer = { readonly id: number } & ({ readonly result: unknown } | { readonly fault: string });

/** Orders that every part knows. */
function ownOrders(): Orders {
  const sampler = new Sampler();
  return {
    startProfile: (intervalUs: number): Promise<void> => sampler.start(intervalUs),
    stopProfile: (path: string): Promise<Profile> => sampler.stop(path),
  };
}

/** Serves `orders` until the parent is gone. Every part, a peer's too, has the V8 settings of our command line. */
export function obey(orders: Orders): void {
  tuneV8();
  const all: Orders = { ...ownOrders(), ...orders };
  process.on('disconnect', () => process.exit(0));
  process.on('message', ({ id, order, argument }: Order) => {
    const act = async () => {
      const action = all[order];
      if (action === undefined) throw new Error(`no such order: ${order}`);
      return action(argument as never);
    };
    act().then(
      (result) => process.send?.({ id, result } satisfies Answer),
      (fault: Error) => process.send?.({ id, fault: fault.stack ?? String(fault) } satisfies Answer),
    );
  });
}
