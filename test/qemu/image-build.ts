/**
 * What a QEMU guest needs, made from the machine at hand: Debian's tools by name, its kernel (unpacked, never
 * installed), and an initramfs of busybox, this very node, and the project as it was built.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { PROJECT_ROOT } from '../support/golden.js';
import { patience } from '../support/time.js';

/** Downloads outlive a run here. */
const CACHE = join(tmpdir(), 'veracruz-streams-qemu');
const APT_TIMEOUT_MS = patience(120_000);
/** Seconds after which a guest powers off by itself. */
const GUEST_LIMIT_S = 280;
/** In the order that they depend on each other. */
const MODULES = ['virtio_ring', 'virtio', 'virtio_pci_modern_dev', 'virtio_pci_legacy_dev', 'virtio_pci', 'virtio_console'];

/** Program and the Debian package that has it. */
const TOOLS: Readonly<Record<string, string>> = Object.freeze({
  'qemu-system-x86_64': 'qemu-system-x86',
  busybox: 'busybox-static',
  cpio: 'cpio',
});

/** Why a guest cannot be run here; the test skips with this. */
export class NoGuest extends Error {}

function run(program: string, args: readonly string[], cwd = CACHE): string {
  return execFileSync(program, args, { cwd, encoding: 'utf8', timeout: APT_TIMEOUT_MS, stdio: ['ignore', 'pipe', 'pipe'] });
}

function has(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, program)));
}

/** Makes sure of the tools, installing what is missing where that is possible. @throws NoGuest */
export function provideTools(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new NoGuest(`the guest is built for linux x64, this is ${process.platform} ${process.arch}`);
  }
  const missing = Object.keys(TOOLS).filter((program) => !has(program));
  if (missing.length === 0) return;
  const packages = missing.map((program) => TOOLS[program] as string);
  if (process.getuid?.() !== 0) throw new NoGuest(`${missing.join(', ')} missing; as root: apt-get install ${packages.join(' ')}`);
  if (!has('apt-get')) throw new NoGuest(`${missing.join(', ')} missing, and there is no apt-get to install ${packages.join(' ')}`);
  try {
    run('apt-get', ['update', '-qq'], tmpdir());
    process.env.DEBIAN_FRONTEND = 'noninteractive';
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], tmpdir());
  } catch (error) {
    throw new NoGuest(`apt-get could not install ${packages.join(' ')}: ${lastLine(error)}`);
  }
}

/** The folder of Debian's cloud kernel, unpacked: `boot/vmlinuz-*` and `lib/modules`. @throws NoGuest */
export function provideKernel(): string {
  mkdirSync(CACHE, { recursive: true });
  try {
    const name = /Depends: (linux-image-\S+)/.exec(run('apt-cache', ['depends', 'linux-image-cloud-amd64']))?.[1];
    if (name === undefined) throw new Error('linux-image-cloud-amd64 depends on no kernel');
    const folder = join(CACHE, name);
    if (existsSync(folder)) return folder;
    const half = `${folder}.${process.pid}`;
    mkdirSync(half);
    try {
      run('apt-get', ['download', '-qq', name], half);
      const archive = readdirSync(half).find((file) => file.endsWith('.deb')) as string;
      run('dpkg-deb', ['-x', archive, '.'], half);
      rmSync(join(half, archive));
      renameSync(half, folder);
    } finally {
      rmSync(half, { recursive: true, force: true });
    }
    return folder;
  } catch (error) {
    throw new NoGuest(`no kernel could be had: ${lastLine(error)}`);
  }
}

export function kernelImage(kernel: string): string {
  const boot = join(kernel, 'boot');
  return join(boot, readdirSync(boot).find((file) => file.startsWith('vmlinuz-')) as string);
}

export interface GuestProgram {
  /** Arguments of node; the project lies in `/app`. */
  readonly node: readonly string[];
  /** Further files: path in the guest → content. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Builds `<folder>/initramfs.cpio`: a guest that runs one program and powers off when it ends. */
export function buildInitramfs(folder: string, kernel: string, program: GuestProgram): string {
  const root = join(folder, 'root');
  for (const name of ['bin', 'proc', 'sys', 'dev', 'tmp', 'modules', 'app']) mkdirSync(join(root, name), { recursive: true });
  copyFile(which('busybox'), join(root, 'bin', 'busybox'));
  for (const name of ['sh', 'mount', 'insmod', 'poweroff', 'sleep']) run('ln', ['-s', 'busybox', name], join(root, 'bin'));
  for (const name of MODULES) copyModule(kernel, name, join(root, 'modules'));
  copyFile(process.execPath, join(root, 'bin', 'node'));
  copyProject(join(root, 'app'));
  const binding = join(root, 'app/node_modules/@serialport/bindings-cpp/prebuilds/linux-x64');
  for (const file of [process.execPath, ...readdirSync(binding).map((name) => join(binding, name))]) copyLibraries(file, root);
  for (const [path, content] of Object.entries(program.files ?? {})) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  writeFileSync(join(root, 'init'), initScript(program.node));
  chmodSync(join(root, 'init'), 0o755);
  const image = join(folder, 'initramfs.cpio');
  run('sh', ['-c', `find . | cpio -o -H newc --quiet > ${image}`], root);
  rmSync(root, { recursive: true });
  return image;
}

function initScript(args: readonly string[]): string {
  return [
    '#!/bin/sh',
    'mount -t proc proc /proc',
    'mount -t sysfs sys /sys',
    'mount -t devtmpfs dev /dev',
    'mount -t tmpfs tmp /tmp',
    ...MODULES.map((name) => `insmod /modules/${name}.ko`),
    // Whatever becomes of the host's test, no guest outlives it by much.
    `(sleep ${GUEST_LIMIT_S}; poweroff -f) &`,
    `cd /app && HOME=/tmp /bin/node ${args.join(' ')}`,
    'echo "guest program ended with status $?"',
    'poweroff -f',
    '',
  ].join('\n');
}

function copyFile(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(realpathSync(from), to);
}

function which(program: string): string {
  return run('sh', ['-c', `command -v ${program}`], tmpdir()).trim();
}

function copyModule(kernel: string, name: string, to: string): void {
  const found = run('find', [join(kernel, 'lib/modules'), '-name', `${name}.ko*`]).trim();
  if (found === '') throw new NoGuest(`the kernel has no module ${name}`);
  const file = join(to, basename(found));
  copyFile(found, file);
  if (file.endsWith('.xz')) run('xz', ['-d', file]);
}

/** The shared libraries of a program, at the paths where it looks for them. */
function copyLibraries(program: string, root: string): void {
  // A binding for another libc fails here, and is of no use in the guest either.
  let listing = '';
  try {
    listing = run('ldd', [program]);
  } catch {
    return;
  }
  for (const [, path] of listing.matchAll(/(?:=> )?(\/\S+) \(0x/g)) {
    if (!existsSync(join(root, path as string))) copyFile(path as string, join(root, path as string));
  }
}

/** The built library, its programs, and the packages that it needs at run time. */
function copyProject(to: string): void {
  cpSync(join(PROJECT_ROOT, 'package.json'), join(to, 'package.json'));
  cpSync(join(PROJECT_ROOT, 'dist/lib'), join(to, 'dist/lib'), { recursive: true });
  cpSync(join(PROJECT_ROOT, 'dist/test/qemu'), join(to, 'dist/test/qemu'), { recursive: true });
  const wanted = [...Object.keys(manifest(PROJECT_ROOT).dependencies ?? {}), 'serialport'];
  const done = new Set<string>();
  const copy = (name: string, from: string) => {
    const folder = lookUp(name, from);
    if (folder === undefined || done.has(folder)) return;
    done.add(folder);
    cpSync(folder, join(to, folder.slice(PROJECT_ROOT.length)), {
      recursive: true,
      filter: (path) => !/\/prebuilds\/(?!linux-x64)[^/]+$|\/bindings-cpp\/(src|build)$/.test(path),
    });
    for (const needed of Object.keys(manifest(folder).dependencies ?? {})) copy(needed, folder);
  };
  for (const name of wanted) copy(name, PROJECT_ROOT);
}

function manifest(folder: string): { dependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { dependencies?: Record<string, string> };
}

/** As Node finds a package. */
function lookUp(name: string, from: string): string | undefined {
  for (let folder = from; folder.length >= PROJECT_ROOT.length - 1; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
  }
  return undefined;
}

function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr ?? '').trim().split('\n').pop() || message;
}
