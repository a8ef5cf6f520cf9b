/** Calls to a process of the demo over IPC: a method name, its argument, and the outcome. */
import type { ChildProcess } from 'node:child_process';
import { TransportError } from '../../core/errors.js';

/** The methods of a process. Each takes one argument. */
type Methods<M> = { readonly [K in keyof M]: (argument: never) => unknown };
type ArgumentOf<F> = F extends (argument: infer A) => unknown ? A : never;
type ResultOf<F> = F extends (argument: never) => infer R ? Awaited<R> : never;

interface Question {
  readonly call: number;
  readonly method: string;
  readonly argument: unknown;
}

type Outcome =
  | { readonly answers: number; readonly result: unknown }
  | { readonly answers: number; readonly failed: { readonly code: string | undefined; readonly message: string } };

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: TransportError) => void;
}

/** The calling end. Calls to a process that ends never settle, so the caller must also watch for that end. */
export class Calls<M extends Methods<M>> {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #pending = new Map<number, Pending>();
  #last = 0;

  constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
    child.on('message', (message: Partial<Outcome>) => {
      if (message.answers === undefined) return;
      const pending = this.#pending.get(message.answers);
      this.#pending.delete(message.answers);
      const outcome = message as Outcome;
      if ('result' in outcome) pending?.resolve(outcome.result);
      else pending?.reject(this.#failed(outcome.failed));
    });
  }

  call<K extends keyof M & string>(method: K, argument: ArgumentOf<M[K]>): Promise<ResultOf<M[K]>> {
    const call = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#pending.set(call, { resolve: resolve as Pending['resolve'], reject });
      this.#child.send({ call, method, argument } satisfies Question, (error) => {
        if (error !== null) reject(new TransportError(`${this.#name}: ${error.message}`, { layer: 'demo', cause: error }));
      });
    });
  }

  #failed({ code, message }: { readonly code: string | undefined; readonly message: string }): TransportError {
    return new TransportError(`${this.#name}: ${message} (${code ?? 'no code'})`, { layer: 'demo' });
  }
}

/**
 * The called end. Answers every call. Ends the process when the parent is gone. A signal ends it at once, as no handler of it
 * waits for a turn: making a database takes seconds in which there is none.
 */
export function answerCalls<M extends Methods<M>>(methods: M): void {
  process.on('disconnect', () => process.exit(1));
  process.on('message', ({ call, method, argument }: Question) => {
    const run = methods[method as keyof M] as unknown as (argument: unknown) => unknown;
    Promise.resolve(argument)
      .then(run)
      .then(
        (result) => tell({ answers: call, result } satisfies Outcome),
        (error: Error & { code?: string }) =>
          tell({ answers: call, failed: { code: error.code, message: error.message } } satisfies Outcome),
      );
  });
}

/** Sends a message to the parent, if it is still there. */
export function tell(message: object): void {
  if (process.connected) process.send?.(message);
}
