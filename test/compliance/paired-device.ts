/** A terminal device whose other side is a Duplex of this process: what the guest writes the host reads, and it can be full. */
import type { Duplex } from 'node:stream';
import { written } from '../../lib/core/written.js';
import type { DeviceBinding, DevicePort } from '../../lib/transports/console/device.js';
import { memoryPipe } from '../../lib/transports/memory.js';

/** Bytes that the device keeps in each direction, about as many as a terminal does. */
const DEVICE_BYTES = 4096;

export class PairedDevice implements DeviceBinding {
  /** The host's side. */
  readonly host: Duplex;
  readonly #device: Duplex;
  /** Fails what is under way when the port is closed. */
  #cancel: ((error: Error) => void) | undefined;
  #rest: Buffer = Buffer.alloc(0);

  constructor() {
    [this.host, this.#device] = memoryPipe({ highWaterMark: DEVICE_BYTES });
    // A host that goes away is nothing that a device would tell.
    this.#device.on('error', () => {});
  }

  /** Somebody has it open. */
  get isOpen(): boolean {
    return this.#cancel !== undefined;
  }

  async open(): Promise<DevicePort> {
    // The words of the bindings of serialport.
    if (this.isOpen) throw new Error('Error Resource temporarily unavailable Cannot lock port');
    const closed = new Promise<never>((_, reject) => {
      this.#cancel = reject;
    });
    closed.catch(() => {});
    return {
      read: (buffer, offset, length) => Promise.race([closed, this.#read(buffer, offset, length)]),
      write: (bytes) => Promise.race([closed, written(this.#device, Buffer.from(bytes))]),
      drain: async () => {},
      flush: async () => {
        this.#rest = Buffer.alloc(0);
        while (this.#device.read() !== null);
      },
      close: async () => {
        this.#cancel?.(Object.assign(new Error('Canceled'), { canceled: true }));
        this.#cancel = undefined;
      },
      getBaudRate: async () => ({ baudRate: 115_200 }),
    };
  }

  async #read(buffer: Buffer, offset: number, length: number): Promise<{ bytesRead: number }> {
    while (this.#rest.length === 0) {
      const chunk = this.#device.read() as Buffer | null;
      if (chunk !== null) this.#rest = chunk;
      else await new Promise((resolve) => this.#device.once('readable', resolve));
    }
    const bytesRead = this.#rest.copy(buffer, offset, 0, length);
    this.#rest = this.#rest.subarray(bytesRead);
    return { bytesRead };
  }
}
