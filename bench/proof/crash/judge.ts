/** What may be there after a crash. Each function returns what is wrong, or undefined. */
import { fileOf, RECORD_BYTES, recordOf } from './content.js';

/** What the client of a round could tell. Operations are numbered from 0; each began after the one before had ended. */
export interface Told {
  /** Operations that were acknowledged. */
  readonly acknowledged: number;
  /** How the next one ended: it was not known (killed, or told so), or it was told that nothing was done. */
  readonly next: 'unknown' | 'refused';
  /** The error of the client; undefined when it was killed. */
  readonly error?: string | undefined;
}

/** A file that was written again and again holds the last version that was acknowledged, or the one after, whole. */
export function judgeFile(round: number, { acknowledged, next, error }: Told, there: Buffer | undefined): string | undefined {
  const isVersion = (i: number) => (i < 0 ? there === undefined : there?.equals(fileOf(round, i)) === true);
  if (isVersion(acknowledged - 1)) return undefined;
  if (isVersion(acknowledged))
    return next === 'unknown' ? undefined : `version ${acknowledged} is there, though ${error} said that it was not written`;
  return `the file of ${there?.length ?? 'no'} bytes is neither version ${acknowledged - 1} nor version ${acknowledged}`;
}

/** A log holds each acknowledged record once and in order, and at most one more. */
export function judgeLog(round: number, { acknowledged, next, error }: Told, there: Buffer): string | undefined {
  const records = there.length / RECORD_BYTES;
  for (let i = 0; i < records; i++) {
    if (!there.subarray(i * RECORD_BYTES, (i + 1) * RECORD_BYTES).equals(recordOf(round, i))) return `record ${i} of ${records} is another`;
  }
  if (records < acknowledged) return `${acknowledged} records were acknowledged, ${records} are there`;
  if (records > acknowledged + 1) return `${records} records are there, ${acknowledged} were acknowledged`;
  if (records > acknowledged && next === 'refused') return `record ${acknowledged} is there, though ${error} said that it was not appended`;
  return undefined;
}

/** A program's output is that of the last run that was acknowledged, or of the one after, whole. */
export function judgeOutput(commonOf: (i: number) => Buffer, { acknowledged }: Told, there: Buffer | undefined): string | undefined {
  if (there === undefined) return acknowledged > 0 ? 'the output of an acknowledged run is gone' : undefined;
  const last = acknowledged > 0 && there.equals(commonOf(acknowledged - 1));
  return last || there.equals(commonOf(acknowledged)) ? undefined : `an output of ${there.length} bytes that no run has made`;
}
