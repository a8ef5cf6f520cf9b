/** `veracruz-streams/store`: where a Runtime Manager keeps files. */
export { MAX_FILE_NAME_BYTES, normaliseName } from './file-name.js';
export {
  DIRECTORY_STORE_DEFAULTS,
  DirectoryStore,
  type DirectoryStoreOptions,
  type FileSink,
  type FileStat,
  type FileStore,
  type ListedFile,
  type SinkOptions,
  type StoredFile,
} from './file-store.js';
export type { StoreDisk } from './store-disk.js';
