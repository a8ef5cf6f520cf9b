/** Files that are made from the code: written, or compared with what stands in the repository. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The texts of the files of a folder whose names end with `ending`, by their paths in it. */
export function readFolder(folder: string, ending: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending));
  return new Map(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** What differs between two sets of files: their names, sorted. */
export function differences(made: ReadonlyMap<string, string>, there: ReadonlyMap<string, string>): string[] {
  const names = new Set([...made.keys(), ...there.keys()]);
  return [...names].filter((name) => made.get(name) !== there.get(name)).sort();
}

/** Makes the files of `folder` that end with `ending` the given ones: no other stays. */
export function writeFolder(folder: string, ending: string, made: ReadonlyMap<string, string>): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readFolder(folder, ending).keys()) if (!made.has(name)) rmSync(join(folder, name));
  for (const [name, text] of made) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}
