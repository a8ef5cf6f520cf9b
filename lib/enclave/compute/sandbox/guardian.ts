import { availableParallelism } from 'node:os';
import type { CompleteOptions } from '../options.js';

/**
 * Every program's process is started by a shell that stays beside it, outside of what confines it: the guardian. It
 *
 * - sets the limits of the system that hold for the process, and turns core dumps off;
 * - makes it give way to others, as the command `nice` does (see `giveWay` for the scheduler's groups);
 * - waits for a line from the Runtime Manager, and then kills the process;
 * - when the Runtime Manager is gone without a word, kills the process and removes the folder of the run.
 *
 * The kill goes to what stands between, `bwrap` or `unshare`, only where that has started nothing yet: its child is the
 * first of a namespace of processes, with which all the others end before `wait` returns.
 *
 *     sh -c <script> guardian <folder> <direct | nested> <nice> <CPU s> <file, 512 bytes> <data, KiB> <command> …
 */
export const GUARDIAN = `
folder=$1 depth=$2 nice=$3
for limit in "-c 0" "-t $4" "-f $5" "-d $6"; do ulimit $limit 2>/dev/null || :; done
shift 6
if [ -e "$folder/filter" ]; then exec 4<"$folder/filter"; fi
nice -n "$nice" "$@" &
child=$!
exec 3>&- 4<&-
read -r word
if [ "$depth" = nested ]; then read -r inner rest 2>/dev/null </proc/$child/task/$child/children || :; fi
kill -9 "\${inner:-$child}" 2>/dev/null
wait "$child"
status=$?
[ "$word" = keep ] || rm -rf -- "$folder"
exit "$status"
`;

/** The line that tells the guardian to end the process and to leave the folder alone. */
export const KEEP = 'keep\n';

/** Memory that Node and V8 take beside what a program is given, with ample room: it is a last line, not the limit. */
const OWN_MIB = 1024;
const SPARE_SECONDS = 10;
const KIB_A_MIB = 1024;
const BLOCK_BYTES = 512;
const PAGES_A_MIB = 16;

/**
 * The limits of the system for a process, in the units of the guardian: processor time, the length of a file, memory that
 * can be written to. The engine's own limits are reached first, as long as the engine holds.
 *
 * @param maxPages pages of 64 KiB that a memory of the program may have
 * @param largestFile bytes of the largest file that it may find
 */
export function systemLimits(options: CompleteOptions, maxPages: number, largestFile: number): string[] {
  const seconds = Math.ceil(options.timeLimitMs / 1000) * availableParallelism() + SPARE_SECONDS;
  const blocks = Math.ceil((options.maxOutputBytes + largestFile) / BLOCK_BYTES);
  const mib = Math.ceil(maxPages / PAGES_A_MIB) + options.maxHeapMib + options.maxStackMib + OWN_MIB;
  return [seconds, blocks, mib * KIB_A_MIB].map(String);
}
