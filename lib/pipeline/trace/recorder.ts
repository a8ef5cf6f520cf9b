import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { givenRecord, textOf } from '../../core/check.js';
import { RecordingFile } from './recording-file.js';

/** Options of what records into a file. */
export interface RecordingOptions {
  /**
   * Called once, when the file can be written no further (a full disk): the recording ends there, and nothing else does.
   * Default: a warning of the process (`process.emitWarning`).
   */
  readonly onFault?: (error: Error) => void;
}

/** A recording that runs. */
export interface Recording {
  /** Ends it. All that was recorded is in the file then. May be called more than once. */
  close(): void;
  /** As `close()`, for `using`. */
  [Symbol.dispose](): void;
}

/** Listens to stacks and writes what it hears into a file, until it is closed or the file cannot be written. */
export abstract class Recorder implements Recording {
  protected readonly file: RecordingFile;
  #listeners: readonly (readonly [string, ChannelListener])[] = [];

  /** @param start how each recording of this kind begins: no other file is replaced */
  constructor(path: string, start: Buffer, options: RecordingOptions) {
    const { onFault = (error: Error) => process.emitWarning(error) } = givenRecord('options', options);
    this.file = new RecordingFile(textOf('path', path), start, (error) => {
      this.close();
      onFault(error);
    });
  }

  /**
   * @param header what the file begins with
   * @param listeners by the names of their channels
   */
  protected begin(header: Buffer | string, listeners: Readonly<Record<string, ChannelListener>>): void {
    this.#listeners = Object.entries(listeners);
    for (const [name, hear] of this.#listeners) subscribe(name, hear);
    this.file.write(header);
  }

  close(): void {
    for (const [name, hear] of this.#listeners) unsubscribe(name, hear);
    this.#listeners = [];
    this.file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
