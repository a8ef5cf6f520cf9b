import type { Command } from 'commander';
import { InvalidArgumentError } from '../../core/errors.js';
import type { NativeModule } from '../../enclave/policy/index.js';

export interface NativeModuleFlags {
  nativeModuleName?: string[];
  nativeModuleEntryPoint?: string[];
  nativeModuleSpecialFile?: string[];
}

const collect = (value: string, before: string[] = []) => [...before, value];

/** The flags of generate-policy for native modules: each once for a module, in the same order. */
export function addNativeModuleOptions(command: Command): Command {
  return command
    .option('--native-module-name <name>', 'a native module (for the original; none is run here)', collect)
    .option('--native-module-entry-point <path>', 'its program; "" for one that is built in', collect)
    .option('--native-module-special-file <path>', 'the file that it is called through', collect);
}

/** The modules that the flags name. Throws `InvalidArgumentError` when they are not three flags a module. */
export function nativeModulesOf(flags: NativeModuleFlags): NativeModule[] {
  const { nativeModuleName: names = [], nativeModuleEntryPoint: entryPoints = [], nativeModuleSpecialFile: specialFiles = [] } = flags;
  if (entryPoints.length !== names.length || specialFiles.length !== names.length) {
    throw new InvalidArgumentError(
      `give one --native-module-entry-point and one --native-module-special-file for each --native-module-name: ${names.length}, not ${entryPoints.length} and ${specialFiles.length}`,
      { expected: names.length },
    );
  }
  return names.map((name, i) => {
    const special = specialFiles[i] as string;
    const special_file = special.startsWith('/') ? special : `/${special}`;
    const entry_point = entryPoints[i] as string;
    return { name, type: entry_point === '' ? { Static: { special_file } } : { Dynamic: { special_file, entry_point } } };
  });
}
