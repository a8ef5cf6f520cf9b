import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { definedOf } from '../../core/check.js';
import { AccessDeniedError, OutcomeUnknownError } from '../../core/errors.js';
import { may, pinOf, RIGHTS, rightsOf } from '../policy/index.js';
import type { FileSink } from '../store/file-store.js';
import { undefinedIfMissing } from '../store/store-error.js';
import type { Changes, WrittenFile } from './changes.js';
import { COMPUTE_LAYER } from './compute-error.js';
import type { Computation } from './engine.js';

/** Either of them takes a file away from its name. */
const REMOVE_RIGHTS = RIGHTS.PATH_UNLINK_FILE | RIGHTS.PATH_RENAME_SOURCE;

/**
 * Writes what a program changed back into the store. All or nothing: rights are looked at first, then every file is written and
 * compared with its pin, and only when the last of them has come so far are they committed, and others removed. (Short of
 * a disk that fails in that last step.)
 *
 * @throws AccessDeniedError for what the rights or a pin forbid; what the store raises; the signal's reason
 */
export async function writeBack(changes: Changes, computation: Computation, signal: AbortSignal): Promise<void> {
  await checkRights(changes, computation);
  const drafts = new Drafts(computation);
  const giveUp = () => drafts.fail(signal.reason as Error);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    for (const file of changes.written) {
      signal.throwIfAborted();
      await drafts.add(file);
    }
    signal.throwIfAborted();
    await drafts.commit();
  } catch (thrown) {
    await drafts.discard();
    throw signal.aborted ? (signal.reason as Error) : thrown;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
  try {
    for (const name of changes.removed) await computation.store.remove(name).catch(undefinedIfMissing);
  } catch (thrown) {
    throw partly(thrown);
  }
}

/** The error when not all changes of a program were made. An answer would say that none was, or that all were. */
function partly(cause: unknown): OutcomeUnknownError {
  return new OutcomeUnknownError('not all that the program changed could be kept', { layer: COMPUTE_LAYER, cause });
}

async function checkRights({ written, removed }: Changes, { policy, principal, store }: Computation): Promise<void> {
  const refuse = (what: string, name: string) => {
    throw new AccessDeniedError(`the policy does not let the program ${what} the file`, { layer: COMPUTE_LAYER, got: name });
  };
  for (const { name } of written) {
    const exists = (await store.stat(name).catch(undefinedIfMissing)) !== undefined;
    if (!may(policy, principal, 'write', name, exists)) refuse('write', name);
  }
  for (const name of removed) if ((rightsOf(policy, principal, name) & REMOVE_RIGHTS) === 0) refuse('remove', name);
}

/** Files on their way into the store, all of which wait for the last of them before they are committed. */
class Drafts {
  readonly #computation: Computation;
  readonly #sinks: FileSink[] = [];
  readonly #commits: Promise<void>[] = [];
  #go: () => void = () => {};
  #stop: (reason: Error) => void = () => {};
  /** Resolves when all may be committed. */
  readonly #decision: Promise<void>;
  #decided = false;

  constructor(computation: Computation) {
    this.#computation = computation;
    this.#decision = new Promise((resolve, reject) => {
      this.#go = resolve;
      this.#stop = reject;
    });
    this.#decision.catch(() => {});
  }

  /** Resolves when the file is written and waits. */
  async add({ name, path, length }: WrittenFile): Promise<void> {
    const { askedBy, policy, store } = this.#computation;
    const pin = pinOf(policy, name);
    let complete: () => void = () => {};
    const waits = new Promise<void>((resolve) => {
      complete = resolve;
    });
    const sink = store.write(name, length, {
      ...definedOf({ owner: askedBy }),
      hash: pin !== undefined,
      beforeCommit: ({ digest }) => {
        if (pin !== undefined && digest?.toString('hex') !== pin) {
          throw new AccessDeniedError('the program wrote what the policy pins otherwise', {
            layer: COMPUTE_LAYER,
            expected: pin,
            got: name,
          });
        }
        complete();
        return this.#decision;
      },
    });
    this.#sinks.push(sink);
    const committed = pipeline(createReadStream(path), sink);
    committed.catch(() => {});
    this.#commits.push(committed);
    await Promise.race([waits, committed]);
  }

  async commit(): Promise<void> {
    this.#decided = true;
    this.#go();
    const outcomes = await Promise.allSettled(this.#commits);
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure === undefined) return;
    const done = outcomes.some((outcome) => outcome.status === 'fulfilled' || outcome.reason instanceof OutcomeUnknownError);
    throw done ? partly(failure.reason) : (failure.reason as Error);
  }

  /** Ends what is under way; once the decision has fallen it is too late. */
  fail(reason: Error): void {
    if (this.#decided) return;
    this.#stop(reason);
    for (const sink of this.#sinks) sink.destroy(reason);
  }

  async discard(): Promise<void> {
    this.#stop(new Error('another file failed'));
    await Promise.allSettled(this.#sinks.map((sink) => sink.discard()));
    await Promise.allSettled(this.#commits);
  }
}
