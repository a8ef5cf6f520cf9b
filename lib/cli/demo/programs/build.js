/**
 * Assembles the programs of the demo: every .wat beside this file becomes a .wasm in <folder>.
 *
 *     node lib/cli/demo/programs/build.js <folder>
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import loadWabt from 'wabt';

const SOURCES = fileURLToPath(new URL('.', import.meta.url));

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('say where to: build.js <folder>');
const wabt = await loadWabt();
mkdirSync(folder, { recursive: true });
for (const file of readdirSync(SOURCES).filter((name) => name.endsWith('.wat'))) {
  const module = wabt.parseWat(file, readFileSync(join(SOURCES, file), 'utf8'));
  module.validate();
  writeFileSync(join(folder, `${basename(file, '.wat')}.wasm`), module.toBinary({}).buffer);
  module.destroy();
}
