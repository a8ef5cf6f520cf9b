import { pipeline } from 'node:stream/promises';
import { FileNameError, FileStoreError, LimitError, type VeracruzError } from '../../core/errors.js';
import type { FileStore } from '../../enclave/store/file-store.js';
import type { IncomingBody, Received, ResponseStatusName, Sent } from '../../layers/protobuf/index.js';
import type { Log } from '../options.js';

export type ReceivedRequest = Received<'RuntimeManagerRequest'>;
export type SentResponse = Sent<'RuntimeManagerResponse'>;

/** What requests work on. */
export interface Enclave {
  readonly store: FileStore;
  /** SHA-256 of the policy's exact text, 64 lowercase hex digits (wire spec §E). */
  readonly policyHash: string;
  /** Ends the manager's service; called once the answer is on its way. */
  shutdown(): void;
  readonly log: Log;
}

/**
 * Answers one request (wire spec §D, "RM internals" and "ROBUST error codes"). A request that cannot be carried out is
 * answered with a status; only a fault of the session itself (its body was cut off) is thrown.
 */
export async function answerRequest(request: ReceivedRequest, enclave: Enclave, session: number): Promise<SentResponse> {
  const started = performance.now();
  try {
    const response = await carryOut(request, enclave);
    enclave.log('info', 'request', {
      session,
      request: request.oneof ?? 'none',
      ...bytesOf(request),
      milliseconds: Math.round(performance.now() - started),
    });
    return response;
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined) throw error;
    enclave.log('warn', 'request refused', {
      session,
      request: request.oneof ?? 'none',
      status,
      code: (error as VeracruzError).code,
      reason: (error as Error).message,
    });
    return { status, oneof: null };
  }
}

async function carryOut(request: ReceivedRequest, enclave: Enclave): Promise<SentResponse> {
  switch (request.oneof) {
    case 'write_file': {
      const { file_name, data } = request.fields;
      await pipeline(data, enclave.store.write(file_name, data.length));
      return { status: 'SUCCESS', oneof: null };
    }
    case 'append_file': {
      const { file_name, data } = request.fields;
      await pipeline(data, enclave.store.append(file_name, data.length));
      return { status: 'SUCCESS', oneof: null };
    }
    case 'read_file': {
      const { length, stream } = await enclave.store.read(request.fields.file_name);
      return { status: 'SUCCESS', oneof: 'result', fields: { data: { length, source: stream } } };
    }
    case 'request_policy_hash':
      return { status: 'SUCCESS', oneof: 'policy_hash', fields: { data: Buffer.from(enclave.policyHash, 'latin1') } };
    case 'request_shutdown':
      enclave.shutdown();
      return { status: 'SUCCESS', oneof: null };
    default:
      return { status: 'FAILED_INVALID_REQUEST', oneof: null };
  }
}

/** The status of a fault that is the request's own; `undefined` for one that ends the session. */
function statusOf(error: unknown): ResponseStatusName | undefined {
  if (error instanceof FileNameError) return 'FAILED_INVALID_REQUEST';
  if (error instanceof FileStoreError || error instanceof LimitError) return 'FAILED_GENERIC';
  return undefined;
}

function bytesOf(request: ReceivedRequest): { bytes?: number } {
  return request.oneof === 'write_file' || request.oneof === 'append_file'
    ? { bytes: (request.fields.data satisfies IncomingBody).length }
    : {};
}
