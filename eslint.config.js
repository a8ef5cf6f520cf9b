// Formatting and simple rules are biome's; here stand the rules that need types, and the one about who may import whom.
import { readdirSync } from 'node:fs';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const LIB = new URL('lib/', import.meta.url);

/** Names of the folders in `folder` of lib/. Read from disk, so that a new one cannot escape the rules below. */
const foldersIn = (folder) =>
  readdirSync(new URL(folder, LIB), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

/** A folder of lib/ and the folders it may import from, the topmost first. */
const MAY_IMPORT = {
  cli: ['conformance', 'roles', 'attestation', 'enclave', 'transports', 'pipeline', 'layers', 'wire', 'core'],
  conformance: ['attestation', 'enclave', 'transports', 'layers', 'wire', 'core'],
  roles: ['attestation', 'enclave', 'transports', 'pipeline', 'layers', 'core'],
  attestation: ['layers', 'core'],
  enclave: ['layers', 'core'],
  transports: ['core'],
  pipeline: ['core'],
  layers: ['core'],
  wire: [],
  core: [],
};
const FOLDERS = Object.keys(MAY_IMPORT);
const unlisted = foldersIn('.').filter((name) => !FOLDERS.includes(name));
if (unlisted.length > 0) throw new Error(`MAY_IMPORT in eslint.config.js does not say what lib/${unlisted.join(', lib/')} may import`);

/** The folder of layers/ that holds what several layers or roles need, and that every layer may import. */
const FORMATS = 'formats';
const LAYERS = foldersIn('layers/');
const ROLES = foldersIn('roles/');

/** The files of `glob` in lib/ must not import from `others`; every path that leaves a folder begins with `../`. */
const mayNotImport = (glob, others, message) => ({
  files: [`lib/${glob}`],
  rules: { 'no-restricted-imports': ['error', { patterns: [{ regex: `^(\\.\\./)+(${others.join('|')})/`, message }] }] },
});

/** The folders of lib/ that files of `folder` must not import from. */
const forbiddenTo = (folder) => FOLDERS.filter((name) => name !== folder && !MAY_IMPORT[folder].includes(name));

const directions = FOLDERS.filter((folder) => folder !== 'cli').map((folder) =>
  mayNotImport(
    `${folder}/**/*.ts`,
    forbiddenTo(folder),
    `lib/${folder} may import only from: ${[folder, ...MAY_IMPORT[folder]].join(', ')}`,
  ),
);
// A later entry replaces an earlier one for its files, so these say again what holds for all of layers/ and roles/.
const layerDirections = LAYERS.map((layer) => {
  const neighbours = LAYERS.filter((name) => name !== layer && name !== FORMATS);
  return mayNotImport(
    `layers/${layer}/**/*.ts`,
    [...forbiddenTo('layers'), ...neighbours],
    `a layer may import only from core and layers/${FORMATS}, and knows nothing of its neighbours`,
  );
});
const roleDirections = ROLES.map((role) =>
  mayNotImport(
    `roles/${role}/**/*.ts`,
    [...forbiddenTo('roles'), ...ROLES.filter((name) => name !== role)],
    'a role knows nothing of other roles; what several need is in lib/roles itself',
  ),
);

const CLOCK = 'time comes from `clock` of core/clock.ts, so that a simulation can put its own';

export default defineConfig(
  { ignores: ['dist/**', '**/*.generated.js', '**/*.generated.d.ts', 'node_modules/**'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unused-vars': 'off',
    },
  },
  ...directions,
  ...layerDirections,
  ...roleDirections,
  {
    files: ['lib/**/*.ts'],
    rules: { '@typescript-eslint/no-explicit-any': 'error' },
  },
  {
    // The demo's scenes run beside the roles, and a program's process has no library in it.
    files: ['lib/**/*.ts'],
    ignores: ['lib/core/clock.ts', 'lib/cli/demo/**', 'lib/enclave/compute/child/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'performance'].map((name) => ({ name, message: CLOCK })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: CLOCK },
        { object: 'AbortSignal', property: 'timeout', message: CLOCK },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
);
