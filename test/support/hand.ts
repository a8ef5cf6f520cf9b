/** A client of a manager behind a Server that the test plays. */
import type { Duplex } from 'node:stream';
import type { Received, Sent } from '../../lib/layers/protobuf/index.js';
import { directClientStack } from '../../lib/roles/stacks.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { ask, dataOf, type ForeignServer, tell, until } from './foreign.js';
import { alice, authority } from './roles.js';

type Answer = Received<'RuntimeManagerResponse'>;

type Identity = Pick<typeof alice, 'certificate' | 'key'>;

const CLIENT = { dialect: '2207', maxMessageBytes: 2 ** 30 } as const;

/** A client's stack whose ciphertext this test carries by hand. */
export class Hand {
  readonly id: number;
  readonly channel;
  readonly #server: ForeignServer;
  readonly #far: Duplex;
  #answers: Answer[] = [];

  constructor(server: ForeignServer, id: number, { certificate, key }: Identity = alice) {
    this.id = id;
    this.#server = server;
    const [near, far] = memoryPipe({ highWaterMark: 2 ** 24 });
    this.#far = far;
    far.on('error', () => {});
    const tls = { role: 'client', certificate, key, authority: authority.certificate } as const;
    this.channel = directClientStack({ ...CLIENT, tls }).over(near);
    this.channel.on('error', () => {});
    this.channel.on('data', (answer: Answer) => this.#answers.push(answer));
  }

  static async open(server: ForeignServer, identity?: Identity): Promise<Hand> {
    const hand = new Hand(server, await server.open(), identity);
    await until('the ClientHello', () => hand.#far.readableLength > 0);
    await hand.carry();
    return hand;
  }

  /** What the client has to say, up to so many bytes. */
  take(max = Number.POSITIVE_INFINITY): Buffer {
    return (this.#far.read(Math.min(max, this.#far.readableLength)) as Buffer | null) ?? Buffer.alloc(0);
  }

  /** Bytes that `take` would give. */
  get waiting(): number {
    return this.#far.readableLength;
  }

  /** What the client is told. */
  give(bytes: Buffer): void {
    if (bytes.length > 0) this.#far.write(bytes);
  }

  /** Takes what there is to the manager, and brings back what it has. */
  async carry(): Promise<void> {
    for (;;) {
      await turns(5);
      const bytes = this.take();
      if (bytes.length === 0) return;
      if (!(await this.#server.call(ask.send(this.id, bytes))).equals(tell.success)) throw new Error('the manager refused');
      this.give(await this.#server.fetch(this.id));
    }
  }

  /** The answer to a GetTlsDataNeeded is due; brings what it promises. */
  async carryRest(): Promise<void> {
    if (!(await this.#server.answer()).equals(tell.needed(true))) return;
    this.give(dataOf(await this.#server.call(ask.get(this.id))));
    this.give(await this.#server.fetch(this.id));
  }

  ask(request: Sent<'RuntimeManagerRequest'>): void {
    this.channel.write(request);
  }

  async answer(): Promise<Answer> {
    await until('an answer', () => this.#answers.length > 0);
    return this.#answers.shift() as Answer;
  }
}

export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((go) => setImmediate(go));
}
