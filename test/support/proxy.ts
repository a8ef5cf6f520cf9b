/** An HTTP proxy with the manners of others: it closes connections, takes short bodies alone, or has a slow line. */
import { request as openRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { tcpServer } from './foreign.js';

type T = Pick<Test, 'teardown'>;

export interface Manners {
  /** Answers after which a connection is closed, with `connection: close` in the last one. Default: never. */
  readonly closeAfter?: number;
  /** Bytes of a body that are taken; more is answered 413 as soon as the head is there. Default: any number. */
  readonly maxBodyBytes?: number;
  /** A 413 does not close the connection. */
  readonly keepsRefused?: boolean;
}

export interface Proxy {
  readonly port: number;
  readonly url: string;
  /** Connections that clients opened. */
  connections: number;
  /** Bytes of each body that was passed on. */
  readonly passed: number[];
  /** Number of bodies that were answered 413. */
  refused: number;
}

/** What is known of a request when its head is there. */
interface Head {
  readonly path: string;
  readonly length: number;
  /** Where its body begins. */
  readonly start: number;
}

/** One connection of a client: requests are answered one after the other. */
class Connection {
  readonly #client: Socket;
  readonly #target: number;
  readonly #manners: Manners;
  readonly #proxy: Proxy;
  #bytes: Buffer = Buffer.alloc(0);
  #skip = 0;
  #answers = 0;
  #busy = false;
  /** The last answer is out: what else comes is thrown away, as nginx does for a while. */
  #over = false;

  constructor(client: Socket, target: number, manners: Manners, proxy: Proxy) {
    this.#client = client;
    this.#target = target;
    this.#manners = manners;
    this.#proxy = proxy;
    client.on('data', (piece: Buffer) => {
      if (this.#over) return;
      const skipped = Math.min(this.#skip, piece.length);
      this.#skip -= skipped;
      this.#bytes = Buffer.concat([this.#bytes, piece.subarray(skipped)]);
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let head = this.#head(); head !== undefined && !this.#over; head = this.#head()) {
      const end = head.start + head.length;
      if (head.length > (this.#manners.maxBodyBytes ?? Number.POSITIVE_INFINITY)) {
        this.#proxy.refused++;
        this.#skip = Math.max(0, end - this.#bytes.length);
        this.#bytes = this.#bytes.subarray(end);
        this.#answer('413 Request Entity Too Large', Buffer.from('<html>too large</html>\n'), '', this.#manners.keepsRefused !== true);
        continue;
      }
      if (this.#bytes.length < end) break;
      const body = this.#bytes.subarray(head.start, end);
      this.#bytes = this.#bytes.subarray(end);
      await this.#pass(head.path, body);
    }
    this.#busy = false;
  }

  #head(): Head | undefined {
    const end = this.#bytes.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const text = this.#bytes.toString('latin1', 0, end);
    const length = Number(/^content-length: (\d+)$/im.exec(text)?.[1] ?? 0);
    return { path: text.split(' ')[1] as string, length, start: end + 4 };
  }

  /** As nginx does, over a connection of its own. */
  async #pass(path: string, body: Buffer): Promise<void> {
    this.#proxy.passed.push(body.length);
    const answer = await new Promise<{ status: number; limit: string; body: Buffer }>((resolve, reject) => {
      const request = openRequest({ port: this.#target, path, method: 'POST', agent: false, headers: { 'content-length': body.length } });
      request.on('error', reject);
      request.on('response', (response) => {
        const limit = response.headers['x-veracruz-max-body-bytes'];
        const head = limit === undefined ? '' : `x-veracruz-max-body-bytes: ${String(limit)}\r\n`;
        buffer(response).then((bytes) => resolve({ status: response.statusCode as number, limit: head, body: bytes }), reject);
      });
      request.end(body);
    }).catch(() => undefined);
    if (answer === undefined) this.#client.destroy();
    else this.#answer(`${answer.status} OK`, answer.body, answer.limit, ++this.#answers === this.#manners.closeAfter);
  }

  #answer(status: string, body: Buffer, headers: string, last: boolean): void {
    const close = last ? 'connection: close\r\n' : '';
    this.#client.write(`HTTP/1.1 ${status}\r\n${headers}${close}content-length: ${body.length}\r\n\r\n`);
    this.#client.write(body);
    if (!last) return;
    this.#over = true;
    this.#client.end();
  }
}

/** Stands between a client and the HTTP server at `target`, a port of loopback. */
export async function proxyWith(t: T, target: number, manners: Manners): Promise<Proxy> {
  const proxy: Proxy = { port: 0, url: '', connections: 0, passed: [], refused: 0 };
  const { port } = await tcpServer(t, (client) => {
    proxy.connections++;
    new Connection(client, target, manners, proxy);
  });
  return Object.assign(proxy, { port, url: `http://127.0.0.1:${port}` });
}

/** A line that carries `bytesPerSecond` from a client to the server at `target`, and any number the other way. */
export async function slowLine(t: T, target: number, bytesPerSecond: number): Promise<{ readonly port: number; readonly url: string }> {
  const { port } = await tcpServer(t, (client) => {
    const server = connect({ host: '127.0.0.1', port: target, noDelay: true });
    const gone = () => {
      client.destroy();
      server.destroy();
    };
    server.on('error', gone).on('close', gone).pipe(client);
    client.on('close', gone);
    void (async () => {
      for await (const piece of client as AsyncIterable<Buffer>) {
        for (let at = 0; at < piece.length; at += bytesPerSecond / 50) {
          server.write(piece.subarray(at, at + bytesPerSecond / 50));
          await sleep(20);
        }
      }
    })().catch(gone);
  });
  return { port, url: `http://127.0.0.1:${port}` };
}
