/** Policies: what one says, who may do what by it, and how one is made (wire spec §E, §D). */
export { type FileOperation, fileRightsOf, may, type Principal, pinOf, rightsOf } from './access.js';
export { CREATE_POLICY_DEFAULTS, createPolicy, type NewPolicy, type PolicySettings } from './create.js';
export { type FileRights, type NativeModule, POLICY_SCHEMA, type Policy } from './document.js';
export { formatFault, MAX_FAULTS, type PolicyFault } from './faults.js';
export { POLICY_DEFAULTS, type PolicyOptions, policyFaults, policyHash, readPolicy } from './read.js';
export { formatRights, parseCapabilities, parseRights, RIGHT_LETTERS, RIGHTS, type RightName, rightNames } from './rights.js';
