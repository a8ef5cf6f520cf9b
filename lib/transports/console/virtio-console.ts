import { Backoff } from '../../core/backoff.js';
import { definedOf, integerInRange } from '../../core/check.js';
import { AbortedError, asVeracruzError, type VeracruzError } from '../../core/errors.js';
import type { ListenerAt } from '../transport.js';
import { CONSOLE_LAYER } from './deadline.js';
import { type DeviceBinding, type DevicePort, openDevice, systemBinding } from './device.js';
import { ConsoleLink } from './link.js';
import { formatSerial, type SerialAddress } from './serial-address.js';

export interface ConsoleOptions {
  /** What opens the device. Default: that of the package `serialport`, which is loaded then. */
  binding?: DeviceBinding;
  /** Without meaning on a console, but asked for. Default 115,200. */
  baudRate?: number;
  /** Milliseconds from the first byte of a frame to its last, while we are ready to read. Default 10,000; 0 for ever. */
  frameTimeoutMs?: number;
  /** Milliseconds to open the device. Default 5000. */
  openTimeoutMs?: number;
  /** Milliseconds to write one piece. Default 60,000: a host may stall. */
  writeTimeoutMs?: number;
  /** Milliseconds, at `end()`, for what was written to leave the device. Default 5000. */
  drainTimeoutMs?: number;
  /** Milliseconds to close the device, after which it counts as closed. Default 3000. */
  closeTimeoutMs?: number;
  /** Milliseconds between two looks whether the device is still there. Default 1000; 0 never looks. */
  checkIntervalMs?: number;
  /**
   * Bytes of one write to the device. Default 8192. Pieces make no host read faster, and what a stalled host loses they
   * lose too: only a Runtime Manager that answers with little, and only when asked, protects from that
   * (`maxAnswerBytes`). They give each piece a deadline of its own, and other sessions a turn between two.
   */
  maxWriteBytes?: number;
  /** Says hello with an empty frame, and takes one as a wish for a fresh link (see `awaitHello`). Default false, as the original. */
  hello?: boolean;
  /** Milliseconds before the device is opened again: doubled from the first to the last while links bring no frame. Default 100 to 5000. */
  reopenFirstMs?: number;
  reopenLastMs?: number;
  /** Hears why a link ended and why the device could not be opened again. Default: nobody. */
  onTrouble?: (error: VeracruzError) => void;
  /** Closes the console. */
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
 * The guest's end of a VirtIO console (or any terminal): one link after the other, each a fresh Duplex of bytes, so that
 * the stack above it is fresh too and what the old link carried has failed once.
 *
 *     open ─▶ flush ─▶ link ─▶ (frame timeout, device error, stack error, end) ─▶ close ─▶ wait ─▶ open …
 *
 * It never writes unasked, unless `hello` is on: a console that nobody has opened on the other side loses or mangles
 * bytes. That the host went away and came back between two frames cannot be seen here; the link goes on.
 *
 * @example
 * const console = await VirtioConsole.open({ kind: 'serial', path: '/dev/hvc0' }, (link) => stack.over(link));
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
        // A log that fails is no reason to give the console up.
      }
    };
    this.#signal = signal;
  }

  /**
   * Opens the device and hands over its first link, and each further one as the one before it has ended.
   *
   * @throws TransportError when the device is missing, locked, no terminal or not allowed; TimeoutError; AbortedError;
   * InvalidOptionError. Later failures to open are tried again.
   */
  static async open(address: SerialAddress, onLink: (link: ConsoleLink) => void, options: ConsoleOptions = {}): Promise<VirtioConsole> {
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

  /** Ends the link that there is, closes the device, and opens it no more. */
  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#stop.abort();
    this.#link?.destroy();
    await this.#running;
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

  /** One link, until its device is closed; tells whether anything came of it. */
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
