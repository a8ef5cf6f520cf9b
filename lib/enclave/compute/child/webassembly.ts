/** The part of the WebAssembly API that is used here; TypeScript declares it with the DOM only. */
import type { Memory } from './guest-memory.js';

interface Described {
  readonly module?: string;
  readonly name: string;
  readonly kind: string;
}

/** A compiled program. */
export type Module = object;

export interface Instance {
  readonly exports: { readonly memory?: Memory; readonly _start?: () => void };
}

interface WebAssemblyApi {
  readonly Module: (new (
    bytes: Buffer,
  ) => Module) & {
    imports(module: Module): readonly Described[];
    exports(module: Module): readonly Described[];
  };
  readonly Instance: new (module: Module, imports: Readonly<Record<string, object>>) => Instance;
  readonly CompileError: new () => Error;
  readonly RuntimeError: new () => Error;
}

export const { Module, Instance, CompileError, RuntimeError } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
