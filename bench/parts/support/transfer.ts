/** What the client's end of every fixture, ours or a peer's, is told and tells. */
import type { Contents, Moved } from '../../harness/contents.js';

export interface ConnectTask {
  /** An address or a URL, as the part that listens gave it. */
  readonly at: string;
  /** Sessions (or connections) at once. */
  readonly sessions: number;
}

export interface TransferTask {
  /** Bytes of all sessions together. */
  readonly bytes: number;
  /** One file a session: read in an upload, written in a download. Undefined: memory. */
  readonly paths?: readonly string[] | undefined;
}

export interface TransferResult {
  /** From the first command to the last acknowledgement (upload) or byte (download). */
  readonly seconds: number;
  readonly moved: readonly Moved[];
}

/** What one session has to do. `name` is the file's name at the far end. */
export interface Share extends Contents {
  readonly name: string;
}

/** The name of the file of session number `index`. */
export const nameOf = (index: number): string => `/bench/${index}`;
export const indexOf = (name: string): number => Number(name.slice(name.lastIndexOf('/') + 1));

/** Bytes of each session: the same for all, the last with the rest. */
export function sharesOf(bytes: number, sessions: number): number[] {
  const each = Math.floor(bytes / sessions);
  return Array.from({ length: sessions }, (_, i) => (i + 1 < sessions ? each : bytes - each * (sessions - 1)));
}

/** Lets all sessions move their share at once, and takes the time of the whole. */
export async function split<S>(
  sessions: readonly S[],
  task: TransferTask,
  move: (session: S, share: Share) => Promise<Moved>,
): Promise<TransferResult> {
  const bytes = sharesOf(task.bytes, sessions.length);
  const started = performance.now();
  const moved = await Promise.all(
    sessions.map((session, i) => move(session, { name: nameOf(i), bytes: bytes[i] as number, path: task.paths?.[i] })),
  );
  return { seconds: (performance.now() - started) / 1000, moved };
}
