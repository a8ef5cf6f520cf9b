import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { clock } from '../../core/clock.js';
import { LocalFileError } from '../../core/errors.js';
import { cannotWrite } from '../../core/file-faults.js';

/** Bytes that are gathered for one write. */
const BUFFER_BYTES = 65_536;
/** Milliseconds that something waits for its write, at most. */
const FLUSH_MS = 200;
/** Without O_NONBLOCK, to open a named pipe would wait for its reader. */
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK;

/**
 * A file that is written from start to end, for its owner only (mode 0600); what was in it is gone, if it began with `start`. Writes are gathered, 64 KiB
 * at most and 200 ms at most, and are synchronous: what is gathered is never more, and the end of the process loses nothing
 * but what a SIGKILL takes. After a write that fails nothing more is written.
 *
 * @param start how a file begins that may be replaced
 * @param onFault is called once, with what made a write fail
 * @throws InvalidArgumentError when the file cannot be opened, is a pipe, a socket or a folder, or has other contents than a
 * recording; LocalFileError when the system fails
 */
export class RecordingFile {
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  readonly #path: string;
  readonly #onFault: (error: Error) => void;
  readonly #timer = clock.setInterval(() => this.flush(), FLUSH_MS).unref();
  #fd: number | undefined;
  #length = 0;

  constructor(path: string, start: Buffer, onFault: (error: Error) => void) {
    this.#path = path;
    this.#onFault = onFault;
    try {
      this.#fd = open(path, start);
    } catch (cause) {
      clock.clear(this.#timer);
      throw cannotWrite(path, cause);
    }
    process.on('exit', this.#flush);
  }

  /** Adds bytes, or a text. They are copied, or written at once. */
  write(data: Buffer | string): void {
    if (typeof data === 'string') this.write(Buffer.from(data));
    else if (data.length > BUFFER_BYTES) {
      this.flush();
      this.#put(data);
    } else {
      if (this.#length + data.length > BUFFER_BYTES) this.flush();
      this.#length += data.copy(this.#buffer, this.#length);
    }
  }

  /** Writes what is gathered. */
  flush(): void {
    const length = this.#length;
    this.#length = 0;
    if (length > 0) this.#put(this.#buffer.subarray(0, length));
  }

  close(): void {
    this.flush();
    this.#end();
  }

  readonly #flush = (): void => this.flush();

  #put(bytes: Buffer): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    } catch (cause) {
      this.#end();
      const { code, message } = cause as NodeJS.ErrnoException;
      this.#onFault(new LocalFileError(`${this.#path} ends here, it can be written no further: ${message}`, { got: code, cause }));
    }
  }

  #end(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    clock.clear(this.#timer);
    process.off('exit', this.#flush);
    if (fd !== undefined) closeSync(fd);
  }
}

function open(path: string, start: Buffer): number {
  const fd = openSync(path, FLAGS, 0o600);
  const stat = fstatSync(fd);
  if (stat.isFile()) {
    if (!isReplaceable(fd, start)) {
      closeSync(fd);
      throw new Error('it has other contents than a recording');
    }
    ftruncateSync(fd);
    fchmodSync(fd, 0o600);
  } else if (!stat.isCharacterDevice()) {
    closeSync(fd);
    throw new Error('it is no file');
  }
  return fd;
}

/** A file that somebody names by mistake, such as a key, is not lost. */
function isReplaceable(fd: number, start: Buffer): boolean {
  const begun = Buffer.alloc(start.length);
  const length = readSync(fd, begun, 0, begun.length, 0);
  return length === 0 || begun.equals(start);
}
