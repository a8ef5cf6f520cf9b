/** A QEMU guest whose hvc0 is a Unix socket on the host, and whose ttyS0 (kernel, log of the program) is heard here. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { patience } from '../support/time.js';
import { buildInitramfs, type GuestProgram, kernelImage } from './image-build.js';

const READY_LIMIT_MS = patience(60_000);

export class Machine {
  readonly folder = mkdtempSync(join(tmpdir(), 'vcq-'));
  #log = '';
  #qemu: ChildProcess | undefined;
  #heard: (() => void) | undefined;
  /** For a test that ends before its time. */
  readonly #onExit = (): void => {
    this.#qemu?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  };

  private constructor() {
    process.once('exit', this.#onExit);
  }

  /** What `connectSocket` takes. */
  get consoleAddress(): `unix://${string}` {
    return `unix://${join(this.folder, 'console0')}`;
  }

  /** All that came over ttyS0. */
  get log(): string {
    return this.#log;
  }

  /** Boots until `ready` stands in the log; a boot that hangs is tried once more. */
  static async boot(kernel: string, program: GuestProgram, ready: string): Promise<Machine> {
    const machine = new Machine();
    try {
      const image = buildInitramfs(machine.folder, kernel, program);
      for (let boot = 1; ; boot++) {
        machine.#start(kernelImage(kernel), image);
        try {
          await machine.waitFor(ready, READY_LIMIT_MS);
          return machine;
        } catch (error) {
          await machine.#end();
          if (boot === 2) throw new Error(`${(error as Error).message}; ttyS0 said:\n${machine.#log}`);
          machine.#log = '';
        }
      }
    } catch (error) {
      await machine.stop();
      throw error;
    }
  }

  #start(kernel: string, initramfs: string): void {
    // A relative path: a socket's may have 107 bytes. q35, for microvm hangs now and then.
    const args = [
      ...['-M', 'q35', '-nodefaults', '-no-user-config', '-accel', 'tcg', '-cpu', 'max', '-smp', '1', '-m', '1024', '-no-reboot'],
      ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-kernel', kernel, '-initrd', initramfs],
      ...['-append', 'console=ttyS0 quiet panic=-1 random.trust_cpu=on'],
      ...['-device', 'virtio-serial-pci', '-chardev', 'socket,path=console0,server=on,wait=off,id=charconsole0'],
      ...['-device', 'virtconsole,chardev=charconsole0,id=console0'],
    ];
    const qemu = spawn('qemu-system-x86_64', args, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#qemu = qemu;
    const hear = (chunk: Buffer) => {
      this.#log += chunk.toString('latin1');
      this.#heard?.();
    };
    qemu.stdout.on('data', hear);
    qemu.stderr.on('data', hear);
    qemu.on('error', (error) => hear(Buffer.from(`${error.message}\n`)));
    qemu.on('exit', () => this.#heard?.());
  }

  /** Settles when `text` stands in the log, behind `from` characters of it. */
  async waitFor(text: string, limitMs: number, from = 0): Promise<void> {
    const deadline = Date.now() + limitMs;
    while (!this.#log.includes(text, from)) {
      if (this.#qemu?.exitCode !== null || this.#qemu.signalCode !== null) throw new Error(`QEMU ended before the guest said "${text}"`);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`the guest did not say "${text}" within ${limitMs} ms`);
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }

  /** Ends QEMU, by its own process id, and removes everything of this run. */
  async stop(): Promise<void> {
    await this.#end();
    process.off('exit', this.#onExit);
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #end(): Promise<void> {
    const qemu = this.#qemu;
    this.#qemu = undefined;
    if (qemu?.pid === undefined || qemu.exitCode !== null || qemu.signalCode !== null) return;
    const gone = once(qemu, 'exit');
    qemu.kill('SIGKILL');
    await gone;
  }
}
