import { formatSerial, parseSerial, type SerialAddress } from './console/serial-address.js';
import { type ConsoleOptions, VirtioConsole } from './console/virtio-console.js';
import type { ListenOptions, Transport } from './transport.js';

export interface SerialListenOptions extends ListenOptions {
  console?: ConsoleOptions | undefined;
}

/**
 * A terminal device, seen from the guest. It cannot be dialled: a device has one link after the other, and `listen` hands over
 * each link. A device does not tell one end that the other is gone (see `VirtioConsole`).
 */
export const serial: Transport<SerialAddress, never, SerialListenOptions> & { readonly scheme: 'serial' } = {
  scheme: 'serial',
  forms: ['serial:///dev/name'],
  carries: 'bytes',
  dials: 'never',
  ends: 'untold',
  parse: parseSerial,
  format: formatSerial,
  listen: (address, onPipe, { signal, console } = {}) =>
    VirtioConsole.open(address, onPipe, { ...console, signal: signal ?? console?.signal }),
};
