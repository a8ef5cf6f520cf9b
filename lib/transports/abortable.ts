import { AbortedError } from '../core/errors.js';
import { TRANSPORT_LAYER } from './refuse.js';
import type { ListenerAt } from './transport.js';

/**
 * Opens a listener that `signal` closes. If the signal fires while the listener is being opened, the listener is closed before
 * anyone gets it. A closed listener is removed from its signal.
 *
 * @param text the address, for messages
 * @throws AbortedError, and the errors of `open`
 */
export async function listenUnder<At>(
  signal: AbortSignal | undefined,
  text: string,
  open: () => Promise<Opened<At>> | Opened<At>,
): Promise<ListenerAt<At>> {
  if (signal === undefined) return listenerAt(await open());
  if (signal.aborted) throw listeningAborted(text, signal);
  const listener = await open();
  // The compiler does not know that `aborted` may have changed during the wait.
  if ((signal as { aborted: boolean }).aborted) {
    await listener.close();
    throw listeningAborted(text, signal);
  }
  const onAbort = () => void listener.close();
  signal.addEventListener('abort', onAbort, { once: true });
  const close = () => {
    signal.removeEventListener('abort', onAbort);
    return listener.close();
  };
  return listenerAt({ address: listener.address, close });
}

/** A place that was opened, and how it is closed. */
type Opened<At> = Pick<ListenerAt<At>, 'address' | 'close'>;

/** A listener at a place that was opened. */
export function listenerAt<At>({ address, close }: Opened<At>): ListenerAt<At> {
  return { address, close, [Symbol.asyncDispose]: close };
}

function listeningAborted(text: string, { reason }: AbortSignal): AbortedError {
  return new AbortedError(`listening at ${text} was aborted`, { layer: TRANSPORT_LAYER, cause: reason });
}
