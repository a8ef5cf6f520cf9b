import type { RegistryAdmin } from '../../attestation/registry/index.js';
import { print } from '../standard-output.js';
import { openAdmin, type StateFlags } from './state.js';

/** Does something with the registry, and closes it whatever comes of it. `make`: there need not be one yet. */
export async function withRegistry(flags: StateFlags, use: (registry: RegistryAdmin) => Promise<void>, make = false): Promise<void> {
  const registry = await openAdmin(flags, make);
  try {
    await use(registry);
  } finally {
    await registry.close();
  }
}

/** Lines for people, or one line of JSON for programs. */
export async function tell({ json }: { readonly json?: boolean }, value: unknown, lines: readonly string[]): Promise<void> {
  await print(json === true ? `${JSON.stringify(value)}\n` : lines.map((line) => `${line}\n`).join(''));
}
