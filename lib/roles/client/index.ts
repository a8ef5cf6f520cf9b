/** `veracruz-streams/roles/client`: the Veracruz Client. */
export {
  CLIENT_DEFAULTS,
  type ClientOptions,
  type Progress,
  type SaveOptions,
  type TransferOptions,
  VeracruzClient,
  type WriteOptions,
} from './client.js';
export type { LocalFile } from './local-file.js';
export type { FileSource } from './source.js';
