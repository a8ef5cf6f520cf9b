import { readFileSync } from 'node:fs';

/** Descriptors that connections leave free: for files, links and the pipes of programs. Half of a limit that is small. */
const RESERVE = 256;

/** The process's limit of open descriptors, as it is in force (the soft one). Infinity where the system does not tell. */
export function descriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * The descriptors that connections of strangers may have. A process whose connections have taken every descriptor can neither
 * open a file nor start a program, so they are refused before that.
 */
export class DescriptorBudget {
  /** Connections at once. */
  readonly limit: number;
  #taken = 0;

  /** @param descriptors the limit of the process. Default: what the system says */
  constructor(descriptors: number = descriptorLimit()) {
    this.limit = Math.max(1, descriptors - Math.min(RESERVE, Math.ceil(descriptors / 2)));
  }

  /** Connections now. */
  get taken(): number {
    return this.#taken;
  }

  /** Whether one more may be taken. */
  get room(): boolean {
    return this.#taken < this.limit;
  }

  /** Counts one more. */
  enter(): void {
    this.#taken++;
  }

  /** Counts one less. */
  leave(): void {
    this.#taken--;
  }
}

let ofProcess: DescriptorBudget | undefined;

/** The budget that all listeners of this process share. */
export function processDescriptors(): DescriptorBudget {
  ofProcess ??= new DescriptorBudget();
  return ofProcess;
}
