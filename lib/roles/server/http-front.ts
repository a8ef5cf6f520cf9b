/** How the Server finds the session of a POST, and which HTTP status it answers errors with (wire spec §C). */
import type { IncomingMessage } from 'node:http';
import {
  asVeracruzError,
  BusyError,
  LimitError,
  LinkError,
  RecordError,
  SessionTextError,
  TimeoutError,
  type VeracruzError,
} from '../../core/errors.js';
import { SessionRequestDecoder } from '../../layers/session/index.js';
import type { BegunBody } from '../../transports/http-bodies.js';
import { noteRead } from '../http-answers.js';

/** The HTTP status for an error. */
export function statusOf(error: VeracruzError): number {
  if (error instanceof LimitError) return 413;
  if (error instanceof LinkError || error instanceof BusyError) return 503;
  if (error instanceof TimeoutError) return 408;
  return error instanceof SessionTextError || error instanceof RecordError ? 400 : 500;
}

/** The beginning of a POST's body, read to find its session. */
export interface BodyStart {
  /** The session id; 0 asks for a new session. */
  readonly id: number;
  readonly body: BegunBody;
}

/**
 * Reads the body of a POST until its session id is known. A small body usually arrives together with the HTTP head, and
 * the result is then given at once, without a promise.
 */
export function readSessionId(request: IncomingMessage): BodyStart | Promise<BodyStart> {
  const decoder = new SessionRequestDecoder();
  const pieces: Buffer[] = [];
  const announced = Number(request.headers['content-length'] ?? 0);
  let bytes = 0;
  const take = (piece: Buffer): BodyStart | undefined => {
    pieces.push(piece);
    bytes += piece.length;
    noteRead(request, bytes);
    decoder.push(piece);
    return decoder.id === undefined ? undefined : { id: decoder.id, body: { pieces, whole: bytes === announced } };
  };
  const there = request.read() as Buffer | null;
  const start = there === null ? undefined : take(there);
  return start ?? waitForSessionId(request, take);
}

function waitForSessionId(request: IncomingMessage, take: (piece: Buffer) => BodyStart | undefined): Promise<BodyStart> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      request.off('data', onData);
      request.off('end', onEnd);
      request.off('close', onClose);
    };
    const fail = (error: unknown) => {
      stop();
      reject(asVeracruzError(error, { layer: 'server' }));
    };
    const onData = (piece: Buffer) => {
      try {
        const start = take(piece);
        if (start === undefined) return;
        stop();
        request.pause();
        resolve(start);
      } catch (error) {
        fail(error);
      }
    };
    const onEnd = () => fail(new SessionTextError('the body ended before its session id', { layer: 'session' }));
    const onClose = () => fail(new SessionTextError('the client went away before its session id', { layer: 'session' }));
    // A request that was closed earlier emits no further `close`.
    if (request.destroyed) {
      onClose();
      return;
    }
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('close', onClose);
  });
}
