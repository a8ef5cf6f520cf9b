/** HTTP as a stranger speaks it: from any address of loopback, with any body. */
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';

/** Connections that come from one address, at most `most` at once. */
export function agentFrom(localAddress: string, most: number): Agent {
  return new Agent({ keepAlive: true, maxSockets: most, localAddress });
}

export interface Answered {
  readonly status: number;
  readonly body: string;
}

/** Sends a request; settles with its answer, however it is. */
export function ask(agent: Agent, method: 'POST' | 'DELETE', url: string, body = '', signal?: AbortSignal): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const headers = method === 'POST' ? { 'content-length': Buffer.byteLength(body) } : {};
    request(url, { method, agent, headers, ...(signal && { signal }) }, (response) => {
      text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
    })
      .on('error', reject)
      .end(body);
  });
}

/** Where the Server takes sessions. */
export const serviceAt = (url: string): string => `${url}/runtime_manager`;

/** The session id of an answer. */
export const idOf = (body: string): string => body.split(' ')[0] as string;
