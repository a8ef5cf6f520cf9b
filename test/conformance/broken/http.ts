/** An HTTP proxy that breaks requests and answers. */

import { once } from 'node:events';
import { createServer, request as openRequest } from 'node:http';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Test } from 'tap';

type T = Pick<Test, 'teardown'>;

export interface Exchange {
  status: number;
  reason: string;
  path: string;
  method: string;
  request: Buffer;
  headers: Record<string, string>;
  answer: Buffer;
  /** The answer is written without its length, and the connection stays open, or ends. */
  bare?: 'open' | 'ends';
}

export interface HttpFlaws {
  /** Before it is passed on. */
  readonly up?: (exchange: Exchange) => void;
  /** Reads no more of an answer's body than its first byte, where that comes alone. */
  readonly firstByte?: boolean;
  /** Before it is answered. `false`: no answer at all. */
  readonly down?: (exchange: Exchange) => boolean | undefined;
}

/** Gives the URL of the proxy. */
export async function httpProxy(t: T, target: string, { up, down, firstByte = false }: HttpFlaws): Promise<string> {
  const server = createServer((request, response) => {
    void (async () => {
      const headers: Record<string, string> = {};
      for (const name of ['content-type', 'x-veracruz-session-secret']) {
        const value = request.headers[name];
        if (typeof value === 'string') headers[name] = value;
      }
      const { url: path = '', method = '' } = request;
      const exchange: Exchange = {
        status: 0,
        reason: 'OK',
        path,
        method,
        request: await buffer(request),
        headers,
        answer: Buffer.alloc(0),
      };
      up?.(exchange);
      await forward(target, exchange, firstByte);
      if (down?.(exchange) === false) return;
      if (exchange.bare !== undefined) return void writeBare(exchange, response.socket as Socket);
      response.writeHead(exchange.status, exchange.reason, { ...exchange.headers, 'content-length': exchange.answer.length });
      response.end(exchange.answer);
    })().catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

function writeBare({ status, reason, headers, answer, bare }: Exchange, socket: Socket): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}\r\n`), answer]));
  if (bare === 'ends') socket.end();
}

async function forward(target: string, exchange: Exchange, firstByte: boolean): Promise<void> {
  const { path, method, request, headers } = exchange;
  const options = { method, headers: { ...headers, 'content-length': request.length }, agent: false } as const;
  const asking = openRequest(new URL(path, target), options);
  asking.on('error', () => {});
  asking.end(request);
  const [answer] = (await once(asking, 'response')) as [import('node:http').IncomingMessage];
  exchange.status = answer.statusCode as number;
  exchange.reason = answer.statusMessage ?? '';
  exchange.answer = firstByte ? await firstOf(answer) : await buffer(answer);
  exchange.headers = {};
  for (const name of ['x-veracruz-max-body-bytes', 'x-veracruz-session-secret', 'connection']) {
    const value = answer.headers[name];
    if (typeof value === 'string' && name !== 'connection') exchange.headers[name] = value;
  }
}

async function firstOf(answer: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) {
    chunks.push(chunk);
    if (chunks.length === 1 && chunk.length === 1) break;
  }
  return Buffer.concat(chunks);
}
