/** What a program has open under a number. */
export interface Descriptor {
  readonly kind: 'file' | 'directory' | 'stdin' | 'stdout' | 'stderr';
  /** Normal name that it was opened by. A directory cannot be renamed, so its own stays right. */
  readonly name: string;
  /** Of a file or stream. Those of a directory are looked up by name when they are needed. */
  rights: number;
  /** Writes go to the end, wherever the position is. */
  append: boolean;
}

/** Descriptors by their numbers. */
export type Descriptors = Map<number, Descriptor>;
