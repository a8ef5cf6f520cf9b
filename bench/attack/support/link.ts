/** The link as a stranger speaks it who reaches the manager's port. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { serverManagerStack } from 'veracruz-streams';
import type { BincodeRequest, BincodeResponse } from 'veracruz-streams/layers';

/** A link; `answers` gives what the manager answers, in order. It ends with `signal`. */
export async function openLink(port: number, localAddress: string, signal: AbortSignal) {
  const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
  await once(socket, 'connect', { signal });
  const channel = serverManagerStack({ dialect: '2207', frame: 'tcp9' }).over(socket, { signal });
  channel.on('error', () => {});
  const answers = channel.iterator() as AsyncIterableIterator<BincodeResponse>;
  return {
    answers,
    send: (request: BincodeRequest): void => void channel.write(request),
    call: async (request: BincodeRequest): Promise<BincodeResponse> => {
      channel.write(request);
      const { value, done } = await answers.next();
      if (done === true) throw new Error('the manager has closed the link');
      return value;
    },
    close: (): void => void channel.destroy(),
  };
}
