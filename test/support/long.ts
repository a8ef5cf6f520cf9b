/**
 * The mark of a test file that computes or waits for more than some five seconds on an idle machine: exhaustive ones (every cut, every bit,
 * every seed), and those about deadlines. Such a file imports this one; nothing of it is used.
 *
 * `npm run test:fast` leaves the marked files out (`run.ts`). The whole suite runs them.
 */
export {};
