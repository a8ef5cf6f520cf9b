import { Presets, SingleBar } from 'cli-progress';
import { clock } from '../core/clock.js';

const MB = 1_000_000;
/** Between two plain lines of a transfer. */
const LINE_MS = 2000;

/** Shows how far a transfer is: a bar on a terminal, plain lines elsewhere, nothing when `quiet`. */
export class TransferProgress {
  readonly #bar: SingleBar | undefined;
  readonly #quiet: boolean;
  readonly #label: string;
  readonly #total: number;
  readonly #started = clock.monotonic();
  #lastLine = this.#started;

  constructor(label: string, total: number, { quiet }: { quiet: boolean }) {
    this.#label = label;
    this.#total = total;
    this.#quiet = quiet;
    if (quiet || process.stderr.isTTY !== true) return;
    this.#bar = new SingleBar(
      { format: `${label} {bar} {percentage}% | {done} of {all} MB | {rate} MB/s | {left} left`, hideCursor: true, clearOnComplete: false },
      Presets.shades_classic,
    );
    this.#bar.start(Math.max(total, 1), 0, this.#figures(0));
  }

  update(bytes: number): void {
    this.#bar?.update(bytes, this.#figures(bytes));
    const now = clock.monotonic();
    if (this.#quiet || this.#bar !== undefined || now - this.#lastLine < LINE_MS) return;
    this.#lastLine = now;
    const { done, all, rate, left } = this.#figures(bytes);
    process.stderr.write(`${this.#label} ${done} of ${all} MB, ${rate} MB/s, ${left} left\n`);
  }

  end(): void {
    this.#bar?.update(Math.max(this.#total, 1), this.#figures(this.#total));
    this.#bar?.stop();
  }

  #figures(bytes: number): { done: string; all: string; rate: string; left: string } {
    const seconds = Math.max((clock.monotonic() - this.#started) / 1000, 0.001);
    const perSecond = bytes / seconds;
    const left = perSecond === 0 ? '?' : `${Math.ceil((this.#total - bytes) / perSecond)} s`;
    return { done: (bytes / MB).toFixed(1), all: (this.#total / MB).toFixed(1), rate: (perSecond / MB).toFixed(1), left };
  }
}
