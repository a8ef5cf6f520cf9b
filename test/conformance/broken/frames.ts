/** A proxy for a link that breaks what passes: whole messages, or the pieces in which they come. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';
import { Deframer, framed } from '../../support/foreign.js';

type T = Pick<Test, 'teardown'>;

/** Raw bytes for each message; `undefined`: the message in its frame. */
export type Rewrite = (message: Buffer, back: (bytes: Buffer) => void) => readonly Buffer[] | undefined;

export interface Flaws {
  /** From the one who connected to the other. */
  readonly up?: Rewrite;
  readonly down?: Rewrite;
  /** What is left of a piece of the one who connected, before it is read. */
  readonly piece?: (piece: Buffer) => Buffer;
  /** The same of the other. */
  readonly pieceDown?: (piece: Buffer) => Buffer;
  /** Serves one connection in its life. */
  readonly once?: boolean;
  /** Does not notice when the one who connected has ended. */
  readonly keeps?: boolean;
  /** Asked when a connection has ended: ends all others, and serves no further one. */
  readonly dies?: () => boolean;
}

/** Gives the port of the proxy. */
export async function frameProxy(t: T, target: number, flaws: Flaws): Promise<number> {
  let dead = false;
  const sockets = new Set<Socket>();
  const proxy = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    sockets.add(client);
    client.on('error', () => {});
    if (dead) return void client.destroy();
    const server = connect({ host: '127.0.0.1', port: target, noDelay: true, allowHalfOpen: true });
    server.on('error', () => client.destroy());
    pass(client, server, flaws.up, flaws.piece);
    pass(server, client, flaws.down, flaws.pieceDown);
    dead ||= flaws.once === true;
    let over = false;
    const ended = () => {
      if (!over && flaws.dies?.() === true) {
        dead = true;
        for (const socket of sockets) socket.destroy();
      }
      over = true;
    };
    client.on('end', () => {
      ended();
      if (flaws.keeps !== true) server.end();
    });
    server.on('end', () => client.end());
    client.on('close', () => {
      ended();
      server.destroy();
    });
    server.on('close', () => flaws.keeps !== true && client.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  return (proxy.address() as { port: number }).port;
}

function pass(from: Socket, to: Socket, rewrite: Rewrite | undefined, pieceOf = (piece: Buffer) => piece): void {
  const deframer = new Deframer();
  from.on('data', (raw: Buffer) => {
    const piece = pieceOf(raw);
    if (rewrite === undefined) return void to.write(piece);
    for (const message of deframer.push(piece)) {
      for (const bytes of rewrite(message, (back) => from.write(back)) ?? [framed(message)]) to.write(bytes);
    }
  });
}

/** The message with its number, or another part, changed. */
export const changed = (message: Buffer, change: (copy: Buffer) => void): Buffer => {
  const copy = Buffer.from(message);
  change(copy);
  return copy;
};
