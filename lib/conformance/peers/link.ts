/** The Server's end of a link: requests go out as exact bytes, answers are matched by order (wire spec §D.8). */
import { type Bytes, decodeResponse, encodeRequest, joined, type Message, type Received } from '../../layers/bincode/index.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import { encodeHeader, FRAME_HEADERS, type FrameKind } from '../../layers/frame/index.js';
import { CaseFailed, expect, shown } from '../case.js';
import type { Scope } from '../scope.js';
import { Pipe } from './pipe.js';

export type Request = Message<'request', Bytes>;
export type Answer = Received<'response'>;

/** What both ends of a link must know beforehand. */
export interface LinkSettings {
  readonly dialect: Dialect;
  readonly frame: FrameKind;
}

/** Bytes of the longest answer that is taken. */
const MAX_ANSWER_BYTES = 16 * 2 ** 20;

/** Bytes of output that are fetched at once. */
const MAX_OUTPUT_BYTES = 32 * 2 ** 20;

export class Link {
  readonly pipe: Pipe;
  readonly settings: LinkSettings;
  readonly #scope: Scope;
  /** Settles when the answers to all calls so far are there. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(pipe: Pipe, settings: LinkSettings, scope: Scope) {
    this.pipe = pipe;
    this.settings = settings;
    this.#scope = scope;
  }

  static async connect(address: string, settings: LinkSettings, scope: Scope): Promise<Link> {
    return new Link(await Pipe.connect(address, scope), settings, scope);
  }

  /** The message in its frame. */
  framed(message: Buffer): Buffer {
    return Buffer.concat([encodeHeader(FRAME_HEADERS[this.settings.frame], message.length), message]);
  }

  /** The bytes of a request, without a frame. */
  bytesOf(request: Request): Buffer {
    return joined(encodeRequest(request, this.settings.dialect));
  }

  /** A request and its answer. Calls may overlap: their answers come in their order. */
  call(request: Request): Promise<Answer> {
    this.pipe.write(this.framed(this.bytesOf(request)));
    return this.answer();
  }

  /** The next answer. Its bytes must be exactly those of its message. @throws CaseFailed */
  answer(): Promise<Answer> {
    const answer = this.#turn.then(() => this.#answer());
    this.#turn = answer.catch(() => {});
    return answer;
  }

  async #answer(): Promise<Answer> {
    const header = FRAME_HEADERS[this.settings.frame];
    const head = await this.pipe.take(header.bytes, 'the header of an answer');
    const length = Number(header.read(head));
    expect(length <= MAX_ANSWER_BYTES, `a frame of ${length} bytes: ${shown(head)}`);
    expect(header.bytes === header.lengthBytes || head[header.lengthBytes] === 0, `the ninth byte of a header is ${head[8]}, not 0`);
    return this.#read(await this.pipe.take(length, `an answer of ${length} bytes`));
  }

  #read(bytes: Buffer): Answer {
    try {
      return decodeResponse([bytes], this.settings.dialect);
    } catch (error) {
      throw new CaseFailed(`no answer of dialect ${this.settings.dialect}: ${shown(bytes)} (${(error as Error).message})`);
    }
  }

  /** Whether the peer refuses: it ends the link, or says Status Fail. False: neither comes in time. @throws CaseFailed for another answer */
  async refuses(): Promise<'link ended' | 'Status Fail' | undefined> {
    const { bytes } = FRAME_HEADERS[this.settings.frame];
    await this.pipe.comes((got) => got.length >= bytes);
    if (this.pipe.bytes.length < bytes) return this.pipe.over ? 'link ended' : undefined;
    const answer = await this.answer();
    if (answer.kind === 'Status' && answer.status !== 'Success') return 'Status Fail';
    throw new CaseFailed(`answered with ${nameOf(answer)}`);
  }

  /** Opens a session. @throws CaseFailed */
  async open(): Promise<number> {
    const answer = await this.call({ kind: 'NewTlsSession' });
    expect(answer.kind === 'TlsSession', `NewTlsSession was answered with ${nameOf(answer)}`);
    return answer.session;
  }

  /** The ciphertext that the manager has for a client; undefined when it says Status Fail. */
  async fetch(session: number): Promise<{ readonly bytes: Buffer; readonly active: boolean } | undefined> {
    const pieces: Buffer[] = [];
    let length = 0;
    for (let active = true; ; ) {
      if (this.settings.dialect !== 'head') {
        const asked = await this.call({ kind: 'GetTlsDataNeeded', session });
        // A session may end behind its last output.
        if (asked.kind === 'Status') return pieces.length === 0 ? undefined : { bytes: Buffer.concat(pieces), active };
        expect(asked.kind === 'TlsDataNeeded', `GetTlsDataNeeded was answered with ${nameOf(asked)}`);
        if (!asked.needed) return { bytes: Buffer.concat(pieces), active };
      }
      const answer = await this.call({ kind: 'GetTlsData', session });
      if (answer.kind === 'Status') return pieces.length === 0 ? undefined : { bytes: Buffer.concat(pieces), active };
      expect(answer.kind === 'TlsData', `GetTlsData was answered with ${nameOf(answer)}`);
      const data = joined(answer.data);
      active = answer.active;
      if (this.settings.dialect === 'head' && data.length === 0) return { bytes: Buffer.concat(pieces), active };
      length += data.length;
      expect(length <= MAX_OUTPUT_BYTES, `more than ${MAX_OUTPUT_BYTES} bytes of output at once`);
      pieces.push(data);
    }
  }

  /** The case that it belongs to, or the run where all cases share it. */
  get scope(): Scope {
    return this.#scope;
  }
}

/** A text for an answer: its status, or its kind. */
export function nameOf(answer: Answer): string {
  return answer.kind === 'Status' ? `Status ${answer.status}` : answer.kind;
}
