import { defineConfig } from 'eslint/config';
// Formatting and simple rules are biome's; here stand the rules that need types, and the one about who may import whom.
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** A folder of lib/ and the folders it may import from, top of the house first. */
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

const zones = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  target: `./lib/${folder}`,
  from: './lib',
  except: [folder, ...allowed].map((name) => `./${name}`),
  message: `lib/${folder} may import only from: ${[folder, ...allowed].join(', ')}`,
}));

const LAYERS = ['protobuf', 'length-prefix', 'tls', 'records', 'base64', 'session', 'bincode', 'frame'];
const layerZones = LAYERS.map((layer) => ({
  target: `./lib/layers/${layer}`,
  from: './lib/layers',
  except: [`./${layer}`],
  message: 'a layer knows nothing of its neighbours',
}));

export default defineConfig(
  { ignores: ['dist/**', '**/*.generated.js', '**/*.generated.d.ts', 'node_modules/**'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: {
      'import-x/resolver-next': [
        importX.createNodeResolver({ extensions: ['.ts', '.js'], extensionAlias: { '.js': ['.ts', '.d.ts', '.js'] } }),
      ],
    },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones: [...zones, ...layerZones] }],
      'import-x/no-cycle': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unused-vars': 'off',
    },
  },
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
