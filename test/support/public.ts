/** All values that the package exports, by name, whichever subpath they are of. */
export * from '../../lib/attestation/index.js';
export * from '../../lib/core/index.js';
export * from '../../lib/enclave/compute/index.js';
export * from '../../lib/enclave/policy/index.js';
export * from '../../lib/enclave/store/index.js';
export * from '../../lib/layers/index.js';
export * from '../../lib/pipeline/index.js';
export * from '../../lib/roles/index.js';
export * from '../../lib/transports/index.js';
export * from '../../lib/wire/index.js';
