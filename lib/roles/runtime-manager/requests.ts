import { clock } from '../../core/clock.js';
import {
  AbortedError,
  AccessDeniedError,
  BusyError,
  ComputeError,
  FileNameError,
  FileStoreError,
  InvalidArgumentError,
  LimitError,
  NotReadyError,
  type VeracruzError,
} from '../../core/errors.js';
import { type IncomingBody, type Received, type ResponseStatusName, type Sent, wholeBody } from '../../layers/protobuf/index.js';
import type { Log } from '../options.js';
import type { GuardedFiles } from './guarded-files.js';
import type { Caller, Programs } from './programs.js';

export type ReceivedRequest = Received<'RuntimeManagerRequest'>;
export type SentResponse = Sent<'RuntimeManagerResponse'>;

/**
 * Bytes up to which a file is read whole before its answer begins. Head and contents are then one write to TLS, and a
 * failing disk fails only this request instead of the session.
 */
const SMALL_FILE_BYTES = 16 * 1024;

/** What the requests of all sessions work on. */
export interface Service {
  readonly files: GuardedFiles;
  /** Undefined when the manager has no compute engine. */
  readonly programs: Programs | undefined;
  /** SHA-256 of the policy's exact text, 64 lowercase hex digits (wire spec §E). */
  readonly policyHash: string;
  /** Ends the manager's service. The answer to the request is still sent. */
  shutdown(): void;
  readonly log: Log;
}

/**
 * Answers one request of a principal (wire spec §D, "RM internals" and "ROBUST error codes"). A request that cannot be
 * carried out is answered with a status. Only a fault of the session itself is thrown, such as a request body that was cut
 * off.
 *
 *     no right, or contents that a pin forbids        FAILED_INVALID_ROLE
 *     an invalid file name, or an unknown request     FAILED_INVALID_REQUEST
 *     a program that was not written yet              FAILED_NOT_READY
 *     too much that waits, or too many sessions       FAILED_NOT_READY
 *     a trap of a program, or a limit of its run      FAILED_VM_ERROR
 *     a missing file, or a full disk                  FAILED_GENERIC
 */
export async function answerRequest(request: ReceivedRequest, service: Service, caller: Caller): Promise<SentResponse> {
  const started = clock.monotonic();
  const figures = { session: caller.session, identity: caller.principal.id, request: request.oneof ?? 'none' };
  try {
    const response = await carryOut(request, service, caller);
    service.log('info', 'request', { ...figures, ...bytesOf(request), milliseconds: Math.round(clock.monotonic() - started) });
    return response;
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined) throw error;
    service.log('warn', 'request refused', {
      ...figures,
      status,
      code: (error as VeracruzError).code,
      reason: (error as Error).message,
    });
    return { status, oneof: null };
  }
}

async function carryOut(request: ReceivedRequest, service: Service, caller: Caller): Promise<SentResponse> {
  const { files, programs } = service;
  if (caller.refusal !== undefined) throw caller.refusal;
  switch (request.oneof) {
    case 'write_file':
      await files.write(caller.principal, request.fields.file_name, request.fields.data);
      return { status: 'SUCCESS', oneof: null };
    case 'append_file':
      await files.append(caller.principal, request.fields.file_name, request.fields.data, caller.signal);
      return { status: 'SUCCESS', oneof: null };
    case 'read_file': {
      const { length, stream } = await files.read(caller.principal, request.fields.file_name);
      const file = { length, source: stream };
      // An empty file is sent as an empty result. The original sends no result, and its own client takes that for a failure.
      return { status: 'SUCCESS', oneof: 'result', fields: { data: length <= SMALL_FILE_BYTES ? await wholeBody(file) : file } };
    }
    case 'request_result':
      return programs === undefined ? unknown() : exitCode(await programs.run(caller, request.fields.file_name));
    case 'request_pipeline':
      return programs === undefined ? unknown() : exitCode(await programs.runPipeline(caller, request.fields.file_name));
    case 'request_policy_hash':
      return { status: 'SUCCESS', oneof: 'policy_hash', fields: { data: Buffer.from(service.policyHash, 'latin1') } };
    case 'request_shutdown':
      service.shutdown();
      return { status: 'SUCCESS', oneof: null };
    // The schema has these three, but no Runtime Manager of the original serves them.
    case 'request_pi_hash':
    case 'request_proxy_psa_attestation_token':
    case 'psa_attestation_init':
    // The request could not be read.
    case null:
      return unknown();
    // There is no default, so that a new request of the schema does not compile until it has a case here.
  }
}

function unknown(): SentResponse {
  return { status: 'FAILED_INVALID_REQUEST', oneof: null };
}

/** An exit code as a result: u32, little-endian. A code other than 0 is still a SUCCESS (wire spec §D). */
function exitCode(code: number): SentResponse {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(code >>> 0);
  return { status: 'SUCCESS', oneof: 'result', fields: { data } };
}

const STATUSES: ReadonlyArray<readonly [new (message: string) => VeracruzError, ResponseStatusName]> = [
  [FileNameError, 'FAILED_INVALID_REQUEST'],
  [InvalidArgumentError, 'FAILED_INVALID_REQUEST'],
  [AccessDeniedError, 'FAILED_INVALID_ROLE'],
  [NotReadyError, 'FAILED_NOT_READY'],
  [BusyError, 'FAILED_NOT_READY'],
  [ComputeError, 'FAILED_VM_ERROR'],
  [FileStoreError, 'FAILED_GENERIC'],
  [LimitError, 'FAILED_GENERIC'],
  [AbortedError, 'FAILED_GENERIC'],
];

/** The status for an error that fails only the request; `undefined` for an error that ends the session. */
function statusOf(error: unknown): ResponseStatusName | undefined {
  return STATUSES.find(([fault]) => error instanceof fault)?.[1];
}

function bytesOf(request: ReceivedRequest): { bytes?: number } {
  return request.oneof === 'write_file' || request.oneof === 'append_file'
    ? { bytes: (request.fields.data satisfies IncomingBody).length }
    : {};
}
