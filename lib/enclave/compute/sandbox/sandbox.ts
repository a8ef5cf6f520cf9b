import { dirname } from 'node:path';
import { manifests } from './node-fence.js';
import type { Mount } from './node-files.js';

/** What confines the process of a program, besides Node's own fence and the limits of the system. */
export interface Sandbox {
  readonly kind: 'bwrap' | 'unshare' | 'none';
  /** Whether a process of its own stands between the guardian and the program's. */
  readonly nested: boolean;
  /** The command that runs Node confined; the arguments for Node follow it. */
  command(place: RunPlace): string[];
  /** Node's executable, the folder of its code and that of the run, as the process sees them. */
  seen(place: RunPlace): RunPlace;
}

/** What a process is made of. */
export interface RunPlace {
  readonly node: string;
  /** Folder with its code. */
  readonly code: string;
  /** Folder of the run, the only one that it may write to. */
  readonly folder: string;
}

const NOBODY = '65534';
const FILTER_FD = '4';
const CHANNEL_FD = '3';

/**
 * A sandbox by bubblewrap: users, processes, network, System V objects and host names of its own, no capabilities, nothing
 * of the file system but Node, its libraries and the code, read-only, and the folder of the run; a filter of system calls
 * where there is one for the machine.
 */
export function bubblewrap(bwrap: string, files: readonly Mount[], filtered: boolean): Sandbox {
  const inside = { node: '/node', code: '/code', folder: '/run' };
  return {
    kind: 'bwrap',
    nested: true,
    seen: () => inside,
    command: ({ code, folder }) => [
      bwrap,
      ...['--unshare-user', '--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
      ...['--uid', NOBODY, '--gid', NOBODY, '--hostname', 'program', '--cap-drop', 'ALL'],
      // No session of its own beside the guardian's: it would be a group of its own for the scheduler (see `giveWay`).
      ...['--die-with-parent', '--clearenv', '--setenv', 'NODE_CHANNEL_FD', CHANNEL_FD],
      ...files.flatMap(([source, target]) => ['--ro-bind', source, target]),
      ...['--ro-bind', code, inside.code],
      ...manifests(dirname(code))
        .slice(-1)
        .flatMap((manifest) => ['--ro-bind-try', manifest, '/package.json']),
      ...['--bind', folder, inside.folder, '--remount-ro', '/', '--chdir', '/'],
      ...(filtered ? ['--seccomp', FILTER_FD] : []),
      '--',
    ],
  };
}

/** Where bubblewrap does not run: namespaces by `unshare`. The file system is the machine's, fenced by Node alone. */
export function unshared(unshare: string, setpriv: string | undefined): Sandbox {
  const namespaces = ['--user', '--map-current-user', '--net', '--ipc', '--uts', '--pid', '--fork', '--kill-child=KILL'];
  return { kind: 'unshare', nested: true, seen: (place) => place, command: () => [unshare, ...namespaces, '--', ...plain(setpriv)] };
}

/** No namespaces. */
export function unconfined(setpriv: string | undefined): Sandbox {
  return { kind: 'none', nested: false, seen: (place) => place, command: () => plain(setpriv) };
}

/** A process that can gain nothing by what it executes, and ends with its guardian. */
function plain(setpriv: string | undefined): string[] {
  return setpriv === undefined ? [] : [setpriv, '--no-new-privs', '--pdeathsig', 'KILL', '--'];
}
