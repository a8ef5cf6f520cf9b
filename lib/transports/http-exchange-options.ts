import { given, integerInRange } from '../core/check.js';
import { parseHttpUrl } from './http-url.js';

/** Options of `HttpExchange`. */
export interface HttpExchangeOptions {
  /** The URL that every body is posted to: `http://host:port/path`. */
  url: string;
  /**
   * POSTs that may be open at once, on one connection, if the server announces that it can and nobody on the way closes
   * connections. Default 4. Otherwise 1.
   */
  maxInFlight?: number;
  /** Milliseconds to wait for a TCP connection. Default 10,000. */
  connectTimeoutMs?: number;
  /**
   * Milliseconds without a sign of life while a POST is open. A sign of life is a body, or its head, that has left for the
   * kernel, and the head, a piece or the end of an answer. Default 60,000; 0 waits for ever.
   */
  answerTimeoutMs?: number;
  /**
   * Called when no POST is open. Returns the body of a POST that only fetches output if the caller awaits an answer, and
   * `undefined` if it awaits none. Default: never polls.
   */
  poll?: () => Buffer | undefined;
  /**
   * Cuts a body into bodies of at most `maxBytes` each that mean the same when they are sent in order. Needed where somebody on
   * the way refuses a body as too long. Returns `undefined` for a body that cannot be cut. Default: none can be.
   */
  split?: (body: Buffer, maxBytes: number) => Buffer[] | undefined;
}

/** Defaults of `HttpExchangeOptions`. */
export const HTTP_EXCHANGE_DEFAULTS = Object.freeze({ maxInFlight: 4, connectTimeoutMs: 10_000, answerTimeoutMs: 60_000 });

export interface CompleteExchangeOptions extends Required<Omit<HttpExchangeOptions, 'url'>> {
  /** `http://host:port` */
  readonly origin: string;
  readonly path: string;
}

/** Completes and checks the options. @throws InvalidOptionError */
export function completeExchangeOptions(options: HttpExchangeOptions): CompleteExchangeOptions {
  const url = parseHttpUrl(given('options', options).url);
  const { maxInFlight, connectTimeoutMs, answerTimeoutMs } = HTTP_EXCHANGE_DEFAULTS;
  return {
    origin: url.origin,
    path: url.pathname + url.search,
    maxInFlight: integerInRange('maxInFlight', options.maxInFlight ?? maxInFlight, 1, 16),
    connectTimeoutMs: integerInRange('connectTimeoutMs', options.connectTimeoutMs ?? connectTimeoutMs, 1, 2 ** 31 - 1),
    answerTimeoutMs: integerInRange('answerTimeoutMs', options.answerTimeoutMs ?? answerTimeoutMs, 0, 2 ** 31 - 1),
    poll: options.poll ?? (() => undefined),
    split: options.split ?? (() => undefined),
  };
}
