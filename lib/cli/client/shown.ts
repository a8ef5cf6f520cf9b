import type { Progress } from '../../roles/client/client.js';
import { TransferProgress } from '../progress.js';

/** Status lines and progress, one transfer at a time. */
export class Shown {
  readonly #quiet: boolean;
  #bar: TransferProgress | undefined;

  constructor(quiet: boolean) {
    this.#quiet = quiet;
  }

  say(text: string): void {
    this.end();
    if (!this.#quiet) process.stderr.write(`${text}\n`);
  }

  update({ name, bytes, total }: Progress): void {
    if (total === undefined) return;
    this.#bar ??= new TransferProgress(name, total, { quiet: this.#quiet });
    this.#bar.update(bytes);
  }

  end(): void {
    this.#bar?.end();
    this.#bar = undefined;
  }
}
