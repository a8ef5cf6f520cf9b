import { Backoff } from '../../core/backoff.js';
import { definedOf, given, integerInRange } from '../../core/check.js';
import { AbortedError, asVeracruzError, type VeracruzError } from '../../core/errors.js';
import type { ListenerAt } from '../transport.js';
import { CONSOLE_LAYER } from './deadline.js';
import { type DeviceBinding, type DevicePort, openDevice, systemBinding } from './device.js';
import { ConsoleLink } from './link.js';
import { formatSerial, type SerialAddress } from './serial-address.js';

/** Options of `VirtioConsole`. */
export interface ConsoleOptions {
  /** Opens the device. Default: the binding of the package `serialport`, which is loaded for that. */
  binding?: DeviceBinding;
  /** Has no effect on a console, but the binding asks for it. Default 115,200. */
  baudRate?: number;
  /** Milliseconds from the first byte of a frame to its last, while the reader is ready. Default 10,000; 0 is no limit. */
  frameTimeoutMs?: number;
  /** Milliseconds to open the device. Default 5000. */
  openTimeoutMs?: number;
  /** Milliseconds to write one piece. Default 60,000, because a host may stall. */
  writeTimeoutMs?: number;
  /** Milliseconds, at `end()`, for the written bytes to leave the device. Default 5000. */
  drainTimeoutMs?: number;
  /** Milliseconds to close the device, after which it counts as closed. Default 3000. */
  closeTimeoutMs?: number;
  /** Milliseconds between two checks whether the device is still there. Default 1000; 0 never checks. */
  checkIntervalMs?: number;
  /**
   * Bytes of one write to the device. Default 8192. Each piece has a deadline of its own, and other sessions get a turn between
   * two pieces. Smaller pieces do not make a host read faster, and a stalled host can lose them all the same. Against that
   * loss only a Runtime Manager helps that sends little, and only when asked (`maxAnswerBytes`).
   */
  maxWriteBytes?: number;
  /**
   * Sends an empty frame as hello, and takes one as a request for a new link. Default false. The other end waits for it with
   * `ConnectPipeOptions.hello`.
   */
  hello?: boolean;
  /** Milliseconds before the device is opened again. The wait doubles while links bring no frame. Default 100. */
  reopenFirstMs?: number;
  /** The longest such wait, milliseconds. Default 5000. */
  reopenLastMs?: number;
  /** Called with the error that ended a link, and with each error of opening the device again. Default: not called. */
  onTrouble?: (error: VeracruzError) => void;
  /** When it fires, the console is closed. */
  signal?: AbortSignal | undefined;
}

/** Defaults of `ConsoleOptions`. */
export const CONSOLE_DEFAULTS = Object.freeze({
  baudRate: 115_200,
  frameTimeoutMs: 10_000,
  openTimeoutMs: 5000,
  writeTimeoutMs: 60_000,
  drainTimeoutMs: 5000,
  closeTimeoutMs: 3000,
  checkIntervalMs: 1000,
  maxWriteBytes: 8192,
  hello: false,
  reopenFirstMs: 100,
  reopenLastMs: 5000,
});

type Completed = Required<Omit<ConsoleOptions, 'binding' | 'onTrouble' | 'signal'>>;

/**
 * The guest's end of a VirtIO console (or any terminal). It makes one link after the other. Each link is a new Duplex of bytes,
 * so each has a new stack above it, and what failed on the old link is not repeated.
 *
 *     open ─▶ flush ─▶ link ─▶ (frame timeout, device error, stack error, end) ─▶ close ─▶ wait ─▶ open …
 *
 * It never writes unasked, unless `hello` is on: a console that nobody has opened on the other side loses or mangles
 * bytes. If the host goes away and comes back between two frames, this end cannot notice, and the link goes on.
 *
 * @example
 * const link = stack(bincode({ dialect: '2207', sends: 'response', receives: 'request' }), frame('icecap4'));
 * await VirtioConsole.open({ kind: 'serial', path: '/dev/hvc0' }, (pipe) => link.over(pipe));
 */
export class VirtioConsole implements ListenerAt<SerialAddress> {
  readonly address: SerialAddress;
  readonly #options: Completed;
  readonly #binding: DeviceBinding;
  readonly #onLink: (link: ConsoleLink) => void;
  readonly #onTrouble: (error: VeracruzError) => void;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal | undefined;
  #link: ConsoleLink | undefined;
  #running: Promise<void> = Promise.resolve();

  private constructor(
    address: SerialAddress,
    onLink: (link: ConsoleLink) => void,
    binding: DeviceBinding,
    options: Completed,
    { onTrouble, signal }: ConsoleOptions,
  ) {
    this.address = address;
    this.#onLink = onLink;
    this.#binding = binding;
    this.#options = options;
    this.#onTrouble = (error) => {
      try {
        onTrouble?.(error);
      } catch {
        // An error in the caller's log must not end the console.
      }
    };
    this.#signal = signal;
  }

  /**
   * Opens the device and hands over its first link. When a link has ended, the device is opened again for the next link.
   *
   * @throws TransportError when the device is missing, locked, not a terminal or not permitted; TimeoutError; AbortedError;
   * InvalidOptionError. If the device cannot be opened again later, this is retried.
   */
  static async open(address: SerialAddress, onLink: (link: ConsoleLink) => void, options: ConsoleOptions = {}): Promise<VirtioConsole> {
    given('address', address);
    const completed = complete(options);
    const { signal } = options;
    const early = abortOf(signal, address);
    if (early !== undefined) throw early;
    const opened = new VirtioConsole(address, onLink, options.binding ?? (await systemBinding()), completed, options);
    const port = await opened.#open();
    const late = abortOf(signal, address);
    if (late !== undefined) {
      port.close().catch(() => {});
      throw late;
    }
    opened.#running = opened.#run(port);
    signal?.addEventListener('abort', opened.#abort, { once: true });
    return opened;
  }

  /** Ends the current link, closes the device, and does not open it again. */
  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#stop.abort();
    this.#link?.destroy();
    await this.#running;
  }

  /** As `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #abort = (): void => void this.close();

  #open(): Promise<DevicePort> {
    return openDevice(this.address.path, { ...this.#options, binding: this.#binding });
  }

  async #run(first: DevicePort): Promise<void> {
    const { reopenFirstMs, reopenLastMs } = this.#options;
    const pauses = new Backoff({ firstMs: reopenFirstMs, lastMs: reopenLastMs });
    for (let port: DevicePort | undefined = first; port !== undefined; ) {
      const useful = await this.#serve(port);
      if (useful) pauses.reset();
      for (port = undefined; port === undefined && !this.#stop.signal.aborted; ) {
        await pauses.wait(this.#stop.signal).catch(() => {});
        if (this.#stop.signal.aborted) return;
        port = await this.#open().catch((error: VeracruzError) => {
          this.#onTrouble(error);
          return undefined;
        });
      }
    }
  }

  /** Runs one link until its device is closed. True when at least one frame came in. */
  async #serve(port: DevicePort): Promise<boolean> {
    const link = new ConsoleLink(port, this.#options);
    this.#link = link;
    link.on('error', this.#onTrouble);
    const closed = new Promise<void>((resolve) => {
      link.on('close', resolve);
    });
    try {
      if (this.#stop.signal.aborted) link.destroy();
      else this.#onLink(link);
    } catch (error) {
      link.destroy(asVeracruzError(error, { layer: CONSOLE_LAYER }));
    }
    await closed;
    this.#link = undefined;
    return link.framesIn > 0;
  }
}

function abortOf(signal: AbortSignal | undefined, address: SerialAddress): AbortedError | undefined {
  if (signal?.aborted !== true) return undefined;
  return new AbortedError(`opening ${formatSerial(address)} was aborted`, { layer: CONSOLE_LAYER, cause: signal.reason });
}

function complete(options: ConsoleOptions): Completed {
  const completed: Completed = { ...CONSOLE_DEFAULTS, ...definedOf(options) };
  const longest = 2 ** 31 - 1;
  integerInRange('baudRate', completed.baudRate, 1, 2 ** 31);
  integerInRange('frameTimeoutMs', completed.frameTimeoutMs, 0, longest);
  integerInRange('openTimeoutMs', completed.openTimeoutMs, 1, longest);
  integerInRange('writeTimeoutMs', completed.writeTimeoutMs, 1, longest);
  integerInRange('drainTimeoutMs', completed.drainTimeoutMs, 1, longest);
  integerInRange('closeTimeoutMs', completed.closeTimeoutMs, 1, longest);
  integerInRange('checkIntervalMs', completed.checkIntervalMs, 0, longest);
  integerInRange('maxWriteBytes', completed.maxWriteBytes, 1, 2 ** 30);
  integerInRange('reopenFirstMs', completed.reopenFirstMs, 0, longest);
  integerInRange('reopenLastMs', completed.reopenLastMs, completed.reopenFirstMs, longest);
  return completed;
}
