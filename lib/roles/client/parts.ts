/**
 * What a client needs once it connects: the policy's reader, TLS, protobuf, HTTP. It is loaded then, because it is nearly all
 * of what importing the client would cost. undici comes with it even where there is no HTTP (docs/decisions/0006).
 */
export { download } from './downloads.js';
export { ClientSession } from './session.js';
export { absolute, exitCodeOf, save, unexpected } from './transfer.js';
export { checkIdentity, trustOf } from './trust.js';
export { upload } from './uploads.js';
