/** Answers in HTTP that are no message: what roles with an HTTP server have in common. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** One plain line; a body that is still coming is not read, so the connection cannot be used again. */
export function plain(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  const answer = () => {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const leftover = request.complete ? {} : { connection: 'close' };
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...leftover, ...headers }).end(`${text}\n`);
    request.resume();
  };
  // Of a body that has come with its head Node says in the next turn that it is complete.
  if (request.complete) answer();
  else setImmediate(answer);
}

/** Node leaves the answer to a request that it could not parse to whoever listens. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const reason = { 400: 'Bad Request', 408: 'Request Timeout', 431: 'Request Header Fields Too Large' }[status];
  socket.end(`HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
