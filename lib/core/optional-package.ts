import { MissingPackageError } from './errors.js';

/**
 * Imports a package that is not installed with this one, because few need it. Its name is no literal in `import()`, so that a
 * bundler leaves it alone: a program is bundled without it, and finds it at run time.
 *
 * @param purpose what needs it, for the message
 * @throws MissingPackageError when it is not installed. What it throws itself while it is loaded is thrown as it is.
 */
export async function importOptional<Module>(name: string, purpose: string, layer: string): Promise<Module> {
  try {
    return (await import(name)) as Module;
  } catch (cause) {
    if (!isMissing(cause, name)) throw cause;
    throw new MissingPackageError(`${purpose} needs the package ${name}: npm install ${name}`, { layer, expected: name, cause });
  }
}

/** Whether `error` says that the package itself cannot be found, and not something that it imports. */
function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ERR_MODULE_NOT_FOUND' && message.startsWith(`Cannot find package '${name}'`);
}
