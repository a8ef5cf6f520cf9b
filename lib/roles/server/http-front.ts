/** How the Server reads requests and words its refusals in HTTP (wire spec §C). */
import type { IncomingMessage } from 'node:http';
import { asVeracruzError, LimitError, LinkError, SessionTextError, type VeracruzError } from '../../core/errors.js';
import { SessionRequestDecoder } from '../../layers/session/index.js';
import type { BegunBody } from '../../transports/http-bodies.js';
import { noteRead } from '../http-answers.js';

/** The status that a fault is told by. */
export function statusOf(error: VeracruzError): number {
  if (error instanceof LimitError) return 413;
  if (error instanceof LinkError) return 503;
  return error instanceof SessionTextError ? 400 : 500;
}

/** What of a POST's body was read to know whose it is. */
export interface BodyStart {
  /** 0: a session is to be opened. */
  readonly id: number;
  readonly body: BegunBody;
}

/**
 * Reads as much of the body as it takes to know whose it is. A small one has come with its head as a rule, and is there at
 * once.
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
    // It was closed while it waited for its turn, and says so to nobody any more.
    if (request.destroyed) {
      onClose();
      return;
    }
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('close', onClose);
  });
}
