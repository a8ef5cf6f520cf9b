/** A device in memory, in place of the bindings of serialport: what the host sends and hears, and every way to fail. */
import type { DeviceBinding, DevicePort } from '../../lib/transports/console/device.js';
import type { ConsoleLink } from '../../lib/transports/console/link.js';
import { type ConsoleOptions, VirtioConsole } from '../../lib/transports/console/virtio-console.js';

type Operation = 'open' | 'read' | 'write' | 'drain' | 'flush' | 'close' | 'getBaudRate';

export class FakeDevice implements DeviceBinding {
  /** Operations that never settle. */
  readonly hanging = new Set<Operation>();
  /** Operations that fail, and with what. */
  readonly failing = new Map<Operation, Error>();
  /** What the guest wrote, one item a write. */
  readonly writes: Buffer[] = [];
  /** Operations so far, in order, reads left out. */
  readonly calls: Operation[] = [];
  opens = 0;
  /** Ports that are open now: more than one would be a leak. */
  openPorts = 0;
  /** Told of each write. */
  onWrite: (bytes: Buffer) => void = () => {};
  #waiting: Buffer[] = [];
  #wake: (() => void) | undefined;
  /** Ends the read that waits. */
  #cancel: ((error: Error) => void) | undefined;

  /** Bytes from the host; they wait in the device until they are read or flushed. */
  send(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#wake?.();
  }

  /** Bytes that nobody has read. */
  get waiting(): number {
    return this.#waiting.reduce((sum, { length }) => sum + length, 0);
  }

  /** Fails the read that waits, as a device does that is pulled out. */
  breakRead(error: Error): void {
    this.#cancel?.(error);
  }

  get written(): Buffer {
    return Buffer.concat(this.writes);
  }

  async open(): Promise<DevicePort> {
    await this.#operation('open');
    this.opens++;
    this.openPorts++;
    let open = true;
    return {
      read: (buffer, offset, length) => this.#read(buffer, offset, length),
      write: async (bytes) => {
        await this.#operation('write');
        if (!open) throw new Error('Port is not open');
        this.writes.push(Buffer.from(bytes));
        this.onWrite(Buffer.from(bytes));
      },
      drain: () => this.#operation('drain'),
      flush: async () => {
        await this.#operation('flush');
        this.#waiting = [];
      },
      close: async () => {
        await this.#operation('close');
        if (open) this.openPorts--;
        open = false;
        this.#cancel?.(Object.assign(new Error('Canceled'), { canceled: true }));
      },
      getBaudRate: () => this.#operation('getBaudRate'),
    };
  }

  async #operation(operation: Operation): Promise<void> {
    this.calls.push(operation);
    await new Promise((go) => setImmediate(go));
    const error = this.failing.get(operation);
    if (error !== undefined) throw error;
    if (this.hanging.has(operation)) await new Promise(() => {});
  }

  async #read(buffer: Buffer, offset: number, length: number): Promise<{ bytesRead: number }> {
    if (this.hanging.has('read')) await new Promise(() => {});
    if (this.#waiting.length === 0) {
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        this.#cancel = reject;
      }).finally(() => {
        this.#wake = undefined;
        this.#cancel = undefined;
      });
    }
    const [first] = this.#waiting;
    if (first === undefined) return { bytesRead: 0 };
    const bytesRead = first.copy(buffer, offset, 0, length);
    if (bytesRead === first.length) this.#waiting.shift();
    else this.#waiting[0] = first.subarray(bytesRead);
    return { bytesRead };
  }
}

/** `payload` behind its length, u32 LE. */
export function framed(payload: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32LE(payload.length);
  return Buffer.concat([header, payload]);
}

/** A console whose links come one after the other; `next()` waits for the one to come. */
export class Links {
  readonly all: ConsoleLink[] = [];
  readonly troubles: Error[] = [];
  console: VirtioConsole | undefined;
  #waiting: (() => void)[] = [];
  #given = 0;

  static async open(binding: DeviceBinding | undefined, options: ConsoleOptions = {}, path = '/dev/fake'): Promise<Links> {
    const links = new Links();
    links.console = await VirtioConsole.open(
      { kind: 'serial', path },
      (link) => {
        links.all.push(link);
        for (const wake of links.#waiting.splice(0)) wake();
      },
      { reopenFirstMs: 1, reopenLastMs: 20, onTrouble: (error) => links.troubles.push(error), ...(binding && { binding }), ...options },
    );
    return links;
  }

  async next(): Promise<ConsoleLink> {
    while (this.#given >= this.all.length) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.all[this.#given++] as ConsoleLink;
  }
}

/** Settles when `link` is gone, with the error that ended it. */
export function endOf(link: ConsoleLink): Promise<Error | undefined> {
  return new Promise((resolve) => {
    if (link.closed) resolve(link.errored ?? undefined);
    else link.once('close', () => resolve(link.errored ?? undefined));
  });
}

/** Collects what `link` gives. */
export function collect(link: NodeJS.ReadableStream): { readonly bytes: Buffer } {
  const chunks: Buffer[] = [];
  link.on('data', (chunk: Buffer) => chunks.push(chunk));
  return {
    get bytes() {
      return Buffer.concat(chunks);
    },
  };
}
