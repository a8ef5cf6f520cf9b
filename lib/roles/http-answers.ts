/** Targets of requests, and answers in HTTP that are no message: what roles with an HTTP server have in common. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Address, formatAddress } from '../transports/address.js';

/** Where an HTTP server listens, for people: `http://host:port`, or the address of a Unix socket. */
export function urlOf(address: Address): string {
  if (address.kind !== 'tcp' && address.kind !== 'tcp-listen') return formatAddress(address);
  return `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** `http://host:port` before the path, as a proxy is told it. */
const ORIGIN = /^https?:\/\/[^/?]+/i;

/**
 * The path that a request is for. Its target may be a path, or a whole URL, which every server must take (RFC 9112 §3.2.2);
 * a query behind it means nothing here.
 */
export function pathOf({ url: target = '' }: IncomingMessage): string {
  const local = target.replace(ORIGIN, '');
  return local.split('?', 1)[0] || '/';
}

/** One plain line; a body that is still coming is not read, so the connection cannot be used again. */
export function plain(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const leftover = bodyIsThere(request) ? {} : { connection: 'close' };
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...leftover, ...headers }).end(`${text}\n`);
  request.resume();
}

const READ_BYTES = new WeakMap<IncomingMessage, number>();

/** Notes how many bytes of a request's body were read so far. */
export function noteRead(request: IncomingMessage, bytes: number): void {
  READ_BYTES.set(request, bytes);
}

/** Whether all of a request's body has come. Of one that came with its head, Node says so only after it has given it to us. */
function bodyIsThere(request: IncomingMessage): boolean {
  if (request.complete) return true;
  if (request.headers['transfer-encoding'] !== undefined) return false;
  return (READ_BYTES.get(request) ?? 0) + request.readableLength === Number(request.headers['content-length'] ?? 0);
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
