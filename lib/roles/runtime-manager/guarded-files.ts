import { Readable } from 'node:stream';
import { pipeline as streamPipeline } from 'node:stream/promises';
import { closed } from '../../core/closed.js';
import { AccessDeniedError } from '../../core/errors.js';
import { pipeline } from '../../core/pipeline.js';
import { type FileOperation, may, type Policy, type Principal, pinOf } from '../../enclave/policy/index.js';
import { normaliseName } from '../../enclave/store/file-name.js';
import type { FileSink, FileStore, SinkOptions, StoredFile } from '../../enclave/store/file-store.js';
import { isMissing } from '../../enclave/store/store-error.js';
import type { IncomingBody } from '../../layers/protobuf/index.js';
import { AppendTurns } from './append-turns.js';
import { partyOf } from './identity-principal.js';

const LAYER = 'runtime-manager';

/**
 * The file store, with the policy's rights enforced (wire spec §D, "VFS semantics"). Each method normalises the name first
 * and checks the rights before it looks into the store, so that a principal without rights does not learn which files
 * exist.
 *
 * All methods throw FileNameError, AccessDeniedError, and the errors of the store.
 */
export class GuardedFiles {
  readonly #policy: Policy;
  readonly #store: FileStore;
  readonly #appends: AppendTurns;

  /** @param minAppendBytesPerSecond see `RuntimeManagerOptions` */
  constructor(policy: Policy, store: FileStore, minAppendBytesPerSecond = 0) {
    this.#policy = policy;
    this.#store = store;
    this.#appends = new AppendTurns(minAppendBytesPerSecond);
  }

  /**
   * Creates or replaces a file. On `stdin` it overwrites the first bytes only, as the original does. A pinned file accepts
   * only contents with the SHA-256 that the policy gives for it.
   */
  async write(who: Principal, name: string, body: IncomingBody): Promise<void> {
    const file = normaliseName(name);
    await this.#check(who, 'write', file);
    const options = { ...ownedBy(who), ...this.#pinned(file) };
    if (file === 'stdin') await this.#overwrite(file, body, options);
    else await keep(body, this.#store.write(file, body.length, options));
  }

  /**
   * Appends to a file, or creates it. Pinned files and `stdin` cannot be appended to. Several appends to a file have their
   * turns one after the other.
   *
   * @param gone fires when whoever asks for it is gone: then it waits for its turn no longer
   */
  async append(who: Principal, name: string, body: IncomingBody, gone: AbortSignal): Promise<void> {
    const file = normaliseName(name);
    await this.#check(who, 'append', file);
    const sink = this.#store.append(file, body.length, ownedBy(who));
    const leave = () => void sink.discard().catch(() => {});
    if (gone.aborted) leave();
    gone.addEventListener('abort', leave);
    try {
      await this.#appends.wait(file, ready(sink));
      gone.removeEventListener('abort', leave);
      const end = this.#appends.watch(file, body);
      await keep(body, sink).finally(end);
    } finally {
      gone.removeEventListener('abort', leave);
    }
  }

  /** Reads a file. A stream (`stdin`, `stdout`, `stderr`) is empty until something was written to it. */
  async read(who: Principal, name: string): Promise<StoredFile> {
    const file = normaliseName(name);
    await this.#check(who, 'read', file);
    return this.#read(file);
  }

  /** Throws AccessDeniedError unless `who` may run this program. Does not check whether the program exists. */
  checkExecute(who: Principal, program: string): void {
    if (!may(this.#policy, who, 'execute', program, true)) throw denied('execute', program);
  }

  async #check(who: Principal, operation: FileOperation, file: string): Promise<void> {
    if (may(this.#policy, who, operation, file, false)) return;
    // Without the right to create the file, the operation is still allowed if the file exists and may be changed.
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

  /** Old bytes beyond the end of the new ones stay (wire spec §D: `stdin` is not truncated). */
  async #overwrite(file: string, body: IncomingBody, options: SinkOptions): Promise<void> {
    const before = await this.#read(file);
    try {
      const sink = this.#store.write(file, Math.max(before.length, body.length), options);
      await streamPipeline(overlaid(body, before.stream), sink).finally(() => sink.discard());
    } finally {
      before.stream.destroy();
    }
  }
}

/**
 * Writes a body to the store. A small body has arrived in one piece and is written without a stream. Another one is not read
 * before it can be written, so that its session knows that it waits.
 */
async function keep(body: IncomingBody, sink: FileSink): Promise<void> {
  const whole = body.takeWhole();
  if (whole === undefined) {
    await Promise.race([ready(sink), closed(body)]);
    if (body.destroyed) await sink.discard();
  }
  await pipeline(whole ?? body, sink);
}

/** Settles when bytes can be written to a sink, or it has failed: what has gone wrong is what the pipeline will say. */
async function ready(sink: FileSink): Promise<void> {
  await sink.ready?.().catch(() => {});
}

/** Yields `body`, then the bytes of `before` from offset `body.length` on. */
async function* overlaid(body: IncomingBody, before: Readable): AsyncGenerator<Buffer> {
  yield* body as AsyncIterable<Buffer>;
  let skip = body.length;
  for await (const chunk of before as AsyncIterable<Buffer>) {
    if (chunk.length > skip) yield chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.length);
  }
}

/** Whose the bytes are that this principal writes. */
function ownedBy(who: Principal): SinkOptions {
  return who.kind === 'identity' ? { owner: partyOf(who) } : {};
}

function denied(operation: FileOperation, file: string): AccessDeniedError {
  return new AccessDeniedError(`the policy does not let this principal ${operation} the file`, { layer: LAYER, got: file });
}
