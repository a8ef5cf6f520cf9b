import { connect, type Socket } from 'node:net';
import { ERROR_CLASSES, LimitError, RegistryError, TransportError, VeracruzError } from '../../core/errors.js';
import type { AdminCall, AdminMethod, AdminOutcome, RegistryAdmin } from './admin.js';
import type { Admission, AllowedRuntime, Device, DeviceKey, Platform } from './records.js';

/** Most bytes of an answer: more than the longest list needs. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
/** Matches the names of fields that are dates. */
const DATE = /At$/;

/** A registry that an attestation server has open, reached by its admin socket. Rejects with the errors of that registry. */
export class RegistryClient implements RegistryAdmin {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  enrollKey(key: string, admission: Admission = {}): Promise<DeviceKey> {
    return this.#call('enrollKey', key, admission);
  }

  revokeKey(id: string): Promise<boolean> {
    return this.#call('revokeKey', id);
  }

  listKeys(): Promise<DeviceKey[]> {
    return this.#call('listKeys');
  }

  allowRuntime(platform: Platform, hash: string, admission: Admission = {}): Promise<AllowedRuntime> {
    return this.#call('allowRuntime', platform, hash, admission);
  }

  revokeRuntime(hash: string, platform?: Platform): Promise<boolean> {
    return platform === undefined ? this.#call('revokeRuntime', hash) : this.#call('revokeRuntime', hash, platform);
  }

  listRuntimes(): Promise<AllowedRuntime[]> {
    return this.#call('listRuntimes');
  }

  listDevices(limit?: number): Promise<Device[]> {
    return limit === undefined ? this.#call('listDevices') : this.#call('listDevices', limit);
  }

  forgetDevices(before: Date | string): Promise<number> {
    return this.#call('forgetDevices', before);
  }

  /** Does nothing: no connection stays open between calls. */
  async close(): Promise<void> {}

  async #call<Result>(call: AdminMethod, ...parameters: readonly unknown[]): Promise<Result> {
    const socket = connect(this.#path);
    try {
      socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer')));
      socket.write(`${JSON.stringify({ call, with: parameters } satisfies AdminCall)}\n`);
      const outcome = JSON.parse(await readAnswer(socket), revive) as AdminOutcome;
      if ('error' in outcome) throw errorOf(outcome.error);
      return outcome.result as Result;
    } catch (error) {
      if (error instanceof VeracruzError) throw error;
      throw new TransportError(`the server does not answer at ${this.#path}`, { layer: 'registry', cause: error });
    } finally {
      socket.destroy();
    }
  }
}

async function readAnswer(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES)
      throw new LimitError('the answer is too long', { layer: 'registry', limit: MAX_ANSWER_BYTES, got: bytes });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function revive(key: string, value: unknown): unknown {
  return DATE.test(key) && typeof value === 'string' ? new Date(value) : value;
}

/** An error of the class that has this code. */
function errorOf({ code, message }: { code: string; message: string }): Error {
  const ErrorClass = ERROR_CLASSES.find((Class) => new Class('').code === code) ?? RegistryError;
  return new ErrorClass(message, { layer: 'registry' });
}
