import { Readable } from 'node:stream';
import { pipeline as streamPipeline } from 'node:stream/promises';
import { AccessDeniedError } from '../../core/errors.js';
import { pipeline } from '../../core/pipeline.js';
import { type FileOperation, may, type Policy, type Principal, pinOf } from '../../enclave/policy/index.js';
import { normaliseName } from '../../enclave/store/file-name.js';
import type { FileSink, FileStore, SinkOptions, StoredFile } from '../../enclave/store/file-store.js';
import { isMissing } from '../../enclave/store/store-error.js';
import type { IncomingBody } from '../../layers/protobuf/index.js';

const LAYER = 'runtime-manager';

/**
 * The store as a policy lets principals have it (wire spec §D, "VFS semantics"). Names are normalised before anything is
 * looked up by them, and rights are looked up before the store is: who may not do something learns nothing of what is
 * there.
 *
 * All throw FileNameError, AccessDeniedError, and what the store raises.
 */
export class GuardedFiles {
  readonly #policy: Policy;
  readonly #store: FileStore;

  constructor(policy: Policy, store: FileStore) {
    this.#policy = policy;
    this.#store = store;
  }

  /** Replaces a file, or makes it; of `stdin` the first bytes only, as the original does. A pinned one takes only what its pin says. */
  async write(who: Principal, name: string, body: IncomingBody): Promise<void> {
    const file = normaliseName(name);
    await this.#check(who, 'write', file);
    const options = this.#pinned(file);
    if (file === 'stdin') await this.#overwrite(file, body, options);
    else await keep(body, this.#store.write(file, body.length, options));
  }

  /** Adds to a file, or makes it: never to a pinned one, nor to `stdin`. */
  async append(who: Principal, name: string, body: IncomingBody): Promise<void> {
    const file = normaliseName(name);
    await this.#check(who, 'append', file);
    await keep(body, this.#store.append(file, body.length));
  }

  /** Reads a file. A stream that no program has written yet is empty. */
  async read(who: Principal, name: string): Promise<StoredFile> {
    const file = normaliseName(name);
    await this.#check(who, 'read', file);
    return this.#read(file);
  }

  /** Throws AccessDeniedError unless `who` may run this program. Whether it is there is not looked at. */
  checkExecute(who: Principal, program: string): void {
    if (!may(this.#policy, who, 'execute', program, true)) throw denied('execute', program);
  }

  async #check(who: Principal, operation: FileOperation, file: string): Promise<void> {
    if (may(this.#policy, who, operation, file, false)) return;
    // What is missing is the right to make the file, or all rights: only then does it matter whether it is there.
    if (may(this.#policy, who, operation, file, true) && (await this.#exists(file))) return;
    throw denied(operation, file);
  }

  async #exists(file: string): Promise<boolean> {
    try {
      await this.#store.stat(file);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async #read(file: string): Promise<StoredFile> {
    try {
      return await this.#store.read(file);
    } catch (error) {
      if (isMissing(error) && !file.startsWith('/')) return { length: 0, stream: Readable.from([]) };
      throw error;
    }
  }

  #pinned(file: string): SinkOptions {
    const pin = pinOf(this.#policy, file);
    if (pin === undefined) return {};
    return {
      hash: true,
      beforeCommit: ({ digest }) => {
        if (digest?.toString('hex') !== pin)
          throw new AccessDeniedError('these are not the contents that the policy pins', { layer: LAYER, got: file });
      },
    };
  }

  /** What was there beyond the new bytes stays (wire spec §D: `stdin` is not truncated). */
  async #overwrite(file: string, body: IncomingBody, options: SinkOptions): Promise<void> {
    const before = await this.#read(file);
    const sink = this.#store.write(file, Math.max(before.length, body.length), options);
    await streamPipeline(overlaid(body, before.stream), sink).finally(() => {
      before.stream.destroy();
      return sink.discard();
    });
  }
}

/** A small body is there already, in one piece, and needs no stream to be moved. */
function keep(body: IncomingBody, sink: FileSink): Promise<void> {
  return pipeline(body.takeWhole() ?? body, sink);
}

/** `body`, then what `before` has beyond its length. */
async function* overlaid(body: IncomingBody, before: Readable): AsyncGenerator<Buffer> {
  yield* body as AsyncIterable<Buffer>;
  let skip = body.length;
  for await (const chunk of before as AsyncIterable<Buffer>) {
    if (chunk.length > skip) yield chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.length);
  }
}

function denied(operation: FileOperation, file: string): AccessDeniedError {
  return new AccessDeniedError(`the policy does not let this principal ${operation} the file`, { layer: LAYER, got: file });
}
