import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { TransportError, VeracruzError } from '../../core/errors.js';
import { CONSOLE_LAYER, withDeadline } from './deadline.js';

/** An open device, as the bindings of `serialport` have it. */
export interface DevicePort {
  /** Settles with at least one byte; fails when the port is closed. */
  read(buffer: Buffer, offset: number, length: number): Promise<{ bytesRead: number }>;
  /** Settles when the system has taken all of it. Never called twice at once. */
  write(bytes: Buffer): Promise<void>;
  /** Settles when the device has sent all of it. */
  drain(): Promise<void>;
  /** Drops what was received and not read, and what was written and not sent. */
  flush(): Promise<void>;
  close(): Promise<void>;
  /** Asked now and then, to learn whether the device is still there. */
  getBaudRate?(): Promise<unknown>;
}

/** What opens devices: `SerialPort.binding`, or `MockBinding` of `@serialport/binding-mock`. */
export interface DeviceBinding {
  open(options: { path: string; baudRate: number }): Promise<DevicePort>;
}

export interface DeviceOptions {
  readonly binding: DeviceBinding;
  readonly baudRate: number;
  readonly openTimeoutMs: number;
}

/** The binding of this platform. `serialport` is loaded here, at the first serial address, and nowhere else. */
export async function systemBinding(): Promise<DeviceBinding> {
  try {
    const { SerialPort } = await import('serialport');
    return SerialPort.binding;
  } catch (cause) {
    throw new TransportError(`a serial address needs the package serialport: ${(cause as Error).message}`, { layer: CONSOLE_LAYER, cause });
  }
}

/**
 * Opens the device in raw mode, for us alone, and drops the bytes that wait in it: they belong to a link that is gone.
 *
 * @throws TransportError with one line on what the path is instead; TimeoutError
 */
export async function openDevice(path: string, { binding, baudRate, openTimeoutMs }: DeviceOptions): Promise<DevicePort> {
  const opening = binding.open({ path, baudRate });
  let port: DevicePort;
  try {
    port = await withDeadline(`opening ${path}`, openTimeoutMs, opening);
  } catch (error) {
    // One that opens after all must not keep the device locked.
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

/** The bindings tell errors by their text alone, so the path itself is asked first. */
function refusal(path: string, cause: Error): TransportError {
  return new TransportError(`cannot open serial://${path}: ${reasonOf(path, cause)}`, { layer: CONSOLE_LAYER, cause });
}

function reasonOf(path: string, cause: Error): string {
  // Without the path, which may have any of the words.
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
