import { Socket } from 'node:net';

type Connect = (this: Socket, ...args: unknown[]) => Socket;

/** From now on every TCP connection of this process comes from `localAddress`, those of our own client too, who asks for none. */
export function connectFrom(localAddress: string): void {
  const prototype = Socket.prototype as unknown as { connect: Connect };
  const plain = prototype.connect;
  prototype.connect = function (...args) {
    // node:net hands over its own list of arguments, node:http the options.
    const options = (Array.isArray(args[0]) ? args[0][0] : args[0]) as { path?: string; localAddress?: string };
    if (options.path === undefined) options.localAddress ??= localAddress;
    return plain.apply(this, args);
  };
}
