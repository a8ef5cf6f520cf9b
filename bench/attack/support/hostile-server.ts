/** A Server between a client and the real one, which does as it likes with what passes. */
import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listening } from '../../parts/support/listening.js';

/** What is done with a POST: what the client gets instead of the answer, and what the real Server gets instead of the body. */
export interface Trick {
  /** The POST never arrives; this is the answer. */
  readonly instead?: (id: string) => string;
  readonly request?: (body: string) => string;
  readonly answer?: (body: string) => string;
}

/** Whatever the two ends tell each other besides the body. */
function ownHeaders(headers: Iterable<[string, string | string[] | undefined]>): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name.startsWith('x-')).map(([name, value]) => [name, String(value)]));
}

/** Relays POSTs to the Server at `url`. `tricks.now` is what is done from now on. */
export async function hostileServer(url: string): Promise<{ url: string; tricks: { now: Trick }; close: () => void }> {
  const tricks = { now: {} as Trick };
  const relay = async (
    request: IncomingMessage,
    signal: AbortSignal,
  ): Promise<{ status: number; body: string; headers?: Record<string, string> }> => {
    const body = (await buffer(request)).toString('latin1');
    const { instead, request: up, answer: down } = request.method === 'POST' ? tricks.now : {};
    if (instead !== undefined) return { status: 200, body: instead(body.split(' ')[0] as string) };
    const sent = up?.(body) ?? body;
    const answer = await fetch(`${url}${request.url}`, {
      method: request.method ?? 'POST',
      headers: ownHeaders(Object.entries(request.headers)),
      signal,
      ...(sent !== '' && { body: sent }),
    });
    const text = await answer.text();
    return { status: answer.status, body: down?.(text) ?? text, headers: ownHeaders(answer.headers) };
  };
  const server = createServer((request, response) => {
    // When the client goes, the real Server sees it go.
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    relay(request, gone.signal).then(
      ({ status, body, headers }) => response.writeHead(status, headers).end(body),
      () => response.destroy(),
    );
  });
  const port = await listening(server);
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, tricks, close };
}

/** A body with one bit of the length of its first TLS record flipped. */
export function withFlippedLength(body: string, bit: number): string {
  const [id, text] = body.split(' ');
  const bytes = Buffer.from(text ?? '', 'base64');
  if (bytes.length < 5) return body;
  bytes[3 + (bit >> 3)] = (bytes[3 + (bit >> 3)] as number) ^ (1 << (bit & 7));
  return `${id} ${bytes.toString('base64')}`;
}
