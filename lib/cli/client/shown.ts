import type { Progress } from '../../roles/client/client.js';
import { TransferProgress } from '../progress.js';

/** Status lines and progress, one transfer at a time. */
export class Shown {
  readonly #quiet: boolean;
  readonly #json: boolean;
  #bar: TransferProgress | undefined;

  /** @param options `json`: standard error belongs to one line of JSON */
  constructor({ quiet, json }: { readonly quiet: boolean; readonly json: boolean }) {
    this.#quiet = quiet || json;
    this.#json = json;
  }

  say(text: string): void {
    this.end();
    if (!this.#quiet) process.stderr.write(`${text}\n`);
  }

  /** The end of a program or pipeline. That it failed is told, whatever else is kept quiet. */
  ended(name: string, exitCode: number): void {
    this.end();
    if (!this.#quiet || (exitCode !== 0 && !this.#json)) process.stderr.write(`${name} ended with ${exitCode}\n`);
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
