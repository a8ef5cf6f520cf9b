import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Attack, address, again } from '../attack.js';

/** Connections of each process, of each kind. */
const UNREAD = 40;
const IDLE = 60;
/** Bytes of requests in a write of a connection that never reads what is answered. */
const BATCH_BYTES = 64 * 1024;

/** Settles when the other end has closed the connection, or `signal` fires. */
async function closed(socket: Socket, signal: AbortSignal): Promise<void> {
  await once(socket, 'close', { signal }).catch(() => {});
  socket.destroy();
}

/** Connections to the Server that ask and never read, and idle ones to the Server and to the manager. */
export const connections: Attack = {
  about: 'connections that pipeline requests and never read an answer, and idle ones to Server and manager',
  run: async ({ target, number, signal, count }) => {
    const { port, host } = new URL(target.url);
    const request = `GET /runtime_manager HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
    const batch = request.repeat(Math.ceil(BATCH_BYTES / request.length));
    const open = async (what: string, to: number, lane: number): Promise<Socket> => {
      const socket = connect({ port: to, host: '127.0.0.1', localAddress: address(number, lane % 5) }).on('error', () => {});
      socket.on('close', () => !signal.aborted && count(`${what} closed`));
      await once(socket, 'connect', { signal });
      count(`${what} opened`);
      return socket;
    };
    const unread = again(signal, UNREAD, async (lane) => {
      const socket = await open('unread', Number(port), lane);
      const write = () => {
        while (!socket.destroyed && socket.write(batch)) count('batch written');
      };
      socket.on('drain', write);
      socket.pause();
      write();
      await closed(socket, signal);
    });
    const idle = (what: string, to: number) => again(signal, IDLE, async (lane) => closed((await open(what, to, lane)).resume(), signal));
    await Promise.all([unread, idle('idle at Server', Number(port)), idle('idle at manager', target.managerPort)]);
  },
};
