/** What a Runtime Manager and the process that runs a program say to each other, as JSON over the process's channel. */
import type { RightsList } from './rights-table.js';

/** What is to be run, and where. Sent once, when the program's world is complete. */
export interface Job {
  /** The file that holds the program. */
  readonly program: string;
  /** What the program knows itself by, then its arguments. */
  readonly args: readonly string[];
  /** Its environment, `NAME=value` each. */
  readonly environment: readonly string[];
  /** The folder that is its root. */
  readonly world: string;
  /** Bytes of the longest name below its root, so that the path there is one that the system takes. */
  readonly maxNameBytes: number;
  /** The files behind its streams. */
  readonly streams: { readonly stdin: string; readonly stdout: string; readonly stderr: string };
  readonly rights: RightsList;
  /** Normal names of directories that it finds open, after the root. */
  readonly directories: readonly string[];
  /** Whether it may know the time. */
  readonly clock: boolean;
  /** Memory that it may have, pages of 64 KiB. */
  readonly maxPages: number;
  readonly maxOutputBytes: number;
  readonly maxOutputFiles: number;
}

/** How a program ended: with an exit code (a u32), or not by itself. */
export type Outcome =
  | { readonly kind: 'exited'; readonly code: number }
  | {
      readonly kind: 'failed';
      /** Completes "the program …". */
      readonly reason: string;
      /** What it imports and cannot have, as JSON texts. For its own client: the log of the manager is not told. */
      readonly foreign?: readonly string[];
      readonly offset?: number;
      readonly got?: number;
      readonly limit?: number;
    };

/** What the process says: that it is up, and later how the program ended. */
export type Report = { readonly kind: 'up' } | Outcome;
