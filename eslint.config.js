// Formatting and simple rules are biome's; here stand the rules that need types, and the one about who may import whom.
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** A folder of lib/ and the folders it may import from, the topmost first. */
const MAY_IMPORT = {
  cli: ['roles', 'attestation', 'enclave', 'transports', 'pipeline', 'layers', 'core'],
  roles: ['attestation', 'enclave', 'transports', 'pipeline', 'layers', 'core'],
  attestation: ['layers', 'core'],
  enclave: ['layers', 'core'],
  transports: ['core'],
  pipeline: ['core'],
  layers: ['core'],
  core: [],
};

const LAYERS = ['protobuf', 'length-prefix', 'tls', 'records', 'base64', 'session', 'bincode', 'frame'];

/** Files of `folder` must not import from `others`; every path that leaves a folder begins with `../`. */
const mayNotImport = (folder, others, message) => ({
  files: [`lib/${folder}/**/*.ts`],
  rules: { 'no-restricted-imports': ['error', { patterns: [{ regex: `^(\\.\\./)+(${others.join('|')})/`, message }] }] },
});

const FOLDERS = Object.keys(MAY_IMPORT);
const directions = Object.entries(MAY_IMPORT)
  .filter(([folder]) => folder !== 'layers' && folder !== 'cli')
  .map(([folder, allowed]) => {
    const others = FOLDERS.filter((name) => name !== folder && !allowed.includes(name));
    return mayNotImport(folder, others, `lib/${folder} may import only from: ${[folder, ...allowed].join(', ')}`);
  });
const layerDirections = LAYERS.map((layer) => {
  const others = [...FOLDERS.filter((name) => name !== 'core'), ...LAYERS.filter((name) => name !== layer)];
  return mayNotImport(`layers/${layer}`, others, 'a layer may import only from core, and knows nothing of its neighbours');
});

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
  {
    files: ['lib/**/*.ts'],
    rules: { '@typescript-eslint/no-explicit-any': 'error' },
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
