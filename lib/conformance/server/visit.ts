/** A client of the Server that is tried: over HTTP, or over TCP alone as in head. */
import { CaseFailed, expect, shown } from '../case.js';
import { Http, type HttpAnswer, post } from '../peers/http.js';
import { Pipe } from '../peers/pipe.js';
import type { Scope } from '../scope.js';

export interface Visit {
  /** Sends ciphertext, and gives the output that comes, at least `count` bytes. @throws CaseFailed */
  exchange(bytes: Buffer, count: number): Promise<Buffer>;
  /** Sends ciphertext, and says what the Server does instead of serving. @throws CaseFailed when it serves, or does nothing */
  refusal(bytes: Buffer): Promise<string>;
  /** The client goes away. */
  leave(): void;
}

const SECRET = 'x-veracruz-session-secret';
const LIMIT = 'x-veracruz-max-body-bytes';
/** The original's limit of a body. */
export const ORIGINAL_BODY_BYTES = 262_144;

/** What a session's answer says. */
export interface Texts {
  /** Undefined: an empty body, as the original answers without output. */
  readonly id: string | undefined;
  readonly output: Buffer;
}

/** The texts of an answer: `<id> ␠ <base64> …`. @throws CaseFailed */
export function textsOf({ status, body }: HttpAnswer): Texts {
  const text = body.toString('latin1');
  expect(status === 200, `answered with ${status}: ${text.slice(0, 80)}`);
  const [id = '', ...items] = text.split(' ');
  if (text === '') return { id: undefined, output: Buffer.alloc(0) };
  expect(/^(0|[1-9]\d{0,9})$/.test(id), `the answer begins with no id: ${shown(body)}`);
  for (const item of items) {
    expect(Buffer.from(item, 'base64').toString('base64') === item, `an item is no canonical base64: ${item.slice(0, 60)}`);
  }
  return { id, output: Buffer.concat(items.map((item) => Buffer.from(item, 'base64'))) };
}

export class HttpVisit implements Visit {
  /** `0` before the first answer that tells it. */
  id = '0';
  http: Http;
  readonly #scope: Scope;
  readonly #url: string;
  /** The secret that came with the id, and whether it is shown. */
  secret: string | undefined;
  showsSecret = true;
  /** What the Server says a body may have; undefined where it says nothing. */
  limit: number | undefined;

  private constructor(http: Http, url: string, scope: Scope) {
    this.http = http;
    this.#url = url;
    this.#scope = scope;
  }

  static async connect(url: string, scope: Scope): Promise<HttpVisit> {
    return new HttpVisit(await Http.connect(url, scope), url, scope);
  }

  /** A POST of ciphertext. */
  request(bytes: Buffer, id = this.id): Buffer {
    return post(`${id} ${bytes.toString('base64')}`, { headers: this.headers });
  }

  /** The header line of the secret, where there is one to show. */
  get headers(): string {
    return this.secret !== undefined && this.showsSecret ? `${SECRET}: ${this.secret}\r\n` : '';
  }

  async exchange(bytes: Buffer, count: number): Promise<Buffer> {
    return this.collect(await this.send(this.request(bytes)), count);
  }

  async refusal(bytes: Buffer): Promise<string> {
    await this.#anew();
    this.http.pipe.write(this.request(bytes));
    const answer = await this.http.refusal();
    if (answer === undefined) return 'the connection ended';
    expect(answer.status >= 400, `answered with ${answer.status}`);
    return `${answer.status}`;
  }

  leave(): void {
    this.http.pipe.destroy();
  }

  /** Sends a request, over a new connection where the Server has ended the last one. */
  async send(request: Buffer): Promise<HttpAnswer> {
    await this.#anew();
    return this.#learn(await this.http.send(request));
  }

  /** A new connection for what follows. */
  async reconnect(): Promise<void> {
    this.http = await Http.connect(this.#url, this.#scope);
  }

  async #anew(): Promise<void> {
    if (this.http.pipe.over) await this.reconnect();
  }

  #learn(answer: HttpAnswer): HttpAnswer {
    this.secret ??= answer.headers[SECRET];
    const limit = answer.headers[LIMIT];
    if (limit !== undefined) this.limit = limitOf(limit);
    return answer;
  }

  /** The output in an answer, and in those to polls, where the Server takes polls. */
  async collect(answer: HttpAnswer, count: number): Promise<Buffer> {
    const { id, output } = textsOf(answer);
    if (id !== undefined) {
      expect(this.id === '0' || id === this.id, `the answer has the id ${id}, not ${this.id}`);
      this.id = id;
    }
    let all = output;
    const ready = async () => {
      if (all.length >= count) return true;
      if (this.limit === undefined) throw new CaseFailed(`${all.length} of ${count} bytes of output, and no polls`);
      all = Buffer.concat([all, textsOf(await this.send(post(`${this.id} `, { headers: this.headers }))).output]);
      return all.length >= count;
    };
    for (let tries = 0; !(await ready()); tries++) {
      if (tries > 200) throw new CaseFailed(`${all.length} of ${count} bytes of output`);
      await this.#scope.comes(() => false, 10);
    }
    return all;
  }
}

function limitOf(text: string): number {
  expect(/^[1-9]\d{0,14}$/.test(text), `${LIMIT} is ${text.slice(0, 80)}`);
  return Number(text);
}

export class DirectVisit implements Visit {
  readonly pipe: Pipe;

  private constructor(pipe: Pipe) {
    this.pipe = pipe;
  }

  static async connect(address: string, scope: Scope): Promise<DirectVisit> {
    return new DirectVisit(await Pipe.connect(address, scope));
  }

  exchange(bytes: Buffer, count: number): Promise<Buffer> {
    this.pipe.write(bytes);
    return this.pipe.take(count, `${count} bytes of output`);
  }

  async refusal(bytes: Buffer): Promise<string> {
    this.pipe.write(bytes);
    if (await this.pipe.ends()) return 'the connection ended';
    throw new CaseFailed('the connection stays, the Server hangs');
  }

  leave(): void {
    this.pipe.destroy();
  }
}
