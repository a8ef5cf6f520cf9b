import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { TransportError, VeracruzError } from '../../core/errors.js';
import { importOptional } from '../../core/optional-package.js';
import { CONSOLE_LAYER, withDeadline } from './deadline.js';

/** An open device, with the interface of the bindings of `serialport`. */
export interface DevicePort {
  /** Settles when at least one byte was read. Rejects when the port is closed. */
  read(buffer: Buffer, offset: number, length: number): Promise<{ bytesRead: number }>;
  /** Settles when the system has taken all bytes. Never called again before the last call has settled. */
  write(bytes: Buffer): Promise<void>;
  /** Settles when the device has sent all bytes. */
  drain(): Promise<void>;
  /** Drops bytes that were received and not read, and bytes that were written and not sent. */
  flush(): Promise<void>;
  /** Closes the device. */
  close(): Promise<void>;
  /** Called now and then to check whether the device is still there. */
  getBaudRate?(): Promise<unknown>;
}

/** Opens devices. Either `SerialPort.binding`, or `MockBinding` of `@serialport/binding-mock`. */
export interface DeviceBinding {
  /** Opens a device. */
  open(options: { path: string; baudRate: number }): Promise<DevicePort>;
}

export interface DeviceOptions {
  readonly binding: DeviceBinding;
  readonly baudRate: number;
  readonly openTimeoutMs: number;
}

/**
 * The binding of this platform. The package `serialport` is loaded only here, at the first serial address.
 *
 * @throws MissingPackageError; TransportError when it cannot be loaded
 */
export async function systemBinding(): Promise<DeviceBinding> {
  try {
    const { SerialPort } = await importOptional<typeof import('serialport')>('serialport', 'a serial address', CONSOLE_LAYER);
    return SerialPort.binding;
  } catch (cause) {
    if (cause instanceof VeracruzError) throw cause;
    throw new TransportError(`the package serialport cannot be loaded: ${(cause as Error).message}`, { layer: CONSOLE_LAYER, cause });
  }
}

/**
 * Opens the device in raw mode and with a lock. Bytes that wait in it are dropped, because they belong to an earlier link.
 *
 * @throws TransportError with one line on why the path cannot be opened; TimeoutError
 */
export async function openDevice(path: string, { binding, baudRate, openTimeoutMs }: DeviceOptions): Promise<DevicePort> {
  const opening = binding.open({ path, baudRate });
  let port: DevicePort;
  try {
    port = await withDeadline(`opening ${path}`, openTimeoutMs, opening);
  } catch (error) {
    // A device that opens too late must not stay locked.
    opening.then((late) => late.close()).catch(() => {});
    throw error instanceof VeracruzError ? error : refusal(path, error as Error);
  }
  try {
    await withDeadline(`flushing ${path}`, openTimeoutMs, port.flush());
    return port;
  } catch (error) {
    port.close().catch(() => {});
    throw error instanceof VeracruzError ? error : refusal(path, error as Error);
  }
}

/** The bindings' errors differ only in their text, so the reason is taken from the path itself where possible. */
function refusal(path: string, cause: Error): TransportError {
  return new TransportError(`cannot open serial://${path}: ${reasonOf(path, cause)}`, { layer: CONSOLE_LAYER, cause });
}

function reasonOf(path: string, cause: Error): string {
  // The path is removed, because it may contain any of the words below.
  const said = cause.message.replaceAll(path, '');
  if (/lock/i.test(said)) return 'it is locked, another process has it open';
  let stats: Stats | undefined;
  try {
    stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isCharacterDevice() === true) accessSync(path, constants.R_OK | constants.W_OK);
  } catch (denied) {
    return (denied as NodeJS.ErrnoException).code === 'EACCES' ? 'no permission' : (denied as Error).message;
  }
  if (stats === undefined) return 'there is no such device';
  if (stats.isDirectory()) return 'it is a directory, no terminal';
  if (stats.isSocket()) return `it is a socket, no terminal; its address is unix://${path}`;
  if (!stats.isCharacterDevice()) return 'it is a file, no terminal';
  if (/permission denied/i.test(said)) return 'no permission';
  if (/inappropriate ioctl/i.test(said)) return 'it is no terminal';
  if (/no such device/i.test(said)) return 'there is no device behind it';
  return cause.message.replace(/\s+/g, ' ').trim();
}
