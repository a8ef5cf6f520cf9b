/**
 * Writes the parts of docs/ that are made from the code: all of them, or those that are named.
 *
 *     node dist/docs/tools/main.js reference errors limits pictures
 */
import { writeFileSync } from 'node:fs';
import { ERRORS, errorsPage } from './errors.js';
import { writeFolder } from './generated.js';
import { LIMITS, limitsPage } from './limits.js';
import { PICTURES, pictures } from './pictures.js';
import { REFERENCE, referencePages } from './reference.js';

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  errors: () => Promise.resolve(writeFileSync(ERRORS, errorsPage())),
  limits: async () => writeFileSync(LIMITS, await limitsPage()),
  pictures: async () => writeFolder(PICTURES, '.svg', await pictures()),
  reference: async () => writeFolder(REFERENCE, '.md', await referencePages()),
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in PARTS));
if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')}, but ${Object.keys(PARTS).join(', ')}`);
for (const name of names.length === 0 ? Object.keys(PARTS) : names) await PARTS[name]?.();
