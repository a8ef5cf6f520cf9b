import { availableParallelism, cpus, totalmem } from 'node:os';

/** Where a run was made. */
export interface Machine {
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  /** MiB. */
  readonly memoryMib: number;
  readonly platform: string;
  /** ISO 8601, UTC. */
  readonly date: string;
}

export function thisMachine(): Machine {
  return {
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? 'not known',
    cores: availableParallelism(),
    memoryMib: Math.round(totalmem() / 2 ** 20),
    platform: `${process.platform} ${process.arch}`,
    date: new Date().toISOString(),
  };
}
