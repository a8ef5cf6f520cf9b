/** Clocks of processes, moved by libfaketime: Date and OpenSSL see another time, timers go on as they were. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RoleName } from './deployment.js';

/** Seconds after which a process looks at its clock's file again. */
const LOOK_SECONDS = 1;

export class Clocks {
  readonly #folder: string;
  readonly #library: string;

  private constructor(folder: string, library: string) {
    this.#folder = folder;
    this.#library = library;
  }

  /** @returns undefined where there is no libfaketime */
  static in(folder: string): Clocks | undefined {
    const library = libfaketime();
    return library === undefined ? undefined : new Clocks(folder, library);
  }

  environmentOf(role: RoleName): Record<string, string> {
    this.move(role, 0);
    return {
      LD_PRELOAD: this.#library,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_CACHE_DURATION: String(LOOK_SECONDS),
      FAKETIME_TIMESTAMP_FILE: this.#file(role),
    };
  }

  /** Puts the clock of a role that many seconds before or behind ours, within a second. */
  move(role: RoleName, seconds: number): void {
    writeFileSync(this.#file(role), `${seconds < 0 ? '' : '+'}${seconds}\n`);
  }

  #file(role: RoleName): string {
    return join(this.#folder, `clock-${role}`);
  }
}

/** Where Debian puts it. */
function libfaketime(): string | undefined {
  const root = '/usr/lib';
  const folders = existsSync(root) ? readdirSync(root) : [];
  return folders.map((each) => join(root, each, 'faketime', 'libfaketimeMT.so.1')).find((path) => existsSync(path));
}
