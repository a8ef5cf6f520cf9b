import { Random } from '../proof/seed.js';

/** Random numbers with the ranges that a plan of faults needs. */
export class PlanRandom extends Random {
  /** From 0 up to, but not including, 1. */
  next(): number {
    return this.u32() / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** A number from `low`, above 0, to `high`: each order of magnitude is as likely as any other. */
  magnitude(low: number, high: number): number {
    return low * (high / low) ** this.next();
  }

  /** Another source that goes its own way: what is drawn from one does not change the other. */
  branch(): PlanRandom {
    return new PlanRandom(this.u32(), 'branch');
  }
}
