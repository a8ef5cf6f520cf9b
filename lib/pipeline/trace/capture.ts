import { clock } from '../../core/clock.js';
import { DIAGNOSTICS, type ItemEvent, type StackEvent } from '../diagnostics.js';
import { pcapHeader, TcpConnection } from './pcap.js';
import { Recorder, type Recording, type RecordingOptions } from './recorder.js';

/** The layer whose ciphertext is captured. */
const TLS = 'tls';
/** Programs that read captures take what goes to this port for TLS. */
const SERVER = Object.freeze({ host: 1, port: 443 });
/** Each session has a client's port of its own, from the first that no service has. */
const FIRST_PORT = 49_152;
const PORTS = 65_536 - FIRST_PORT;
const FIRST_HOST = 2;
const HOSTS = 253;

/**
 * Writes the TLS bytes of each stack that is opened from now on, and has a TLS layer, as a capture file that Wireshark and
 * tshark open (libpcap 2.4). A session is one TCP connection from 192.0.2.2 to 192.0.2.1:443, whatever its bytes really
 * travelled in: HTTP, base64, bincode. The file is for its owner only; it holds ciphertext and certificates, and no keys.
 *
 * @throws InvalidArgumentError for a file that cannot be written
 */
export function captureTo(path: string, options: RecordingOptions = {}): Recording {
  return new Capture(path, options);
}

class Capture extends Recorder {
  /** What is added to the monotonic clock to get milliseconds since 1970, so that packets stay in their order. */
  readonly #epoch = clock.now() - clock.monotonic();
  /** Sessions that were opened while this ran, by the ids of their connections; undefined until the first byte. */
  readonly #sessions = new Map<number, Session | undefined>();
  #count = 0;

  constructor(path: string, options: RecordingOptions) {
    super(path, pcapHeader(), options);
    this.begin(pcapHeader(), {
      [DIAGNOSTICS.open]: this.#onOpen,
      [DIAGNOSTICS.item]: this.#onItem,
      [DIAGNOSTICS.close]: this.#onClose,
    });
  }

  readonly #onOpen = (event: unknown): void => {
    const { connection, traffic } = event as StackEvent;
    if (traffic.some(({ layer }) => layer === TLS)) this.#sessions.set(connection, undefined);
  };

  readonly #onItem = (event: unknown): void => {
    const { connection, direction, from, to, time, item } = event as ItemEvent;
    const cipher = direction === 'outbound' ? from === TLS : to === TLS;
    if (!cipher || !Buffer.isBuffer(item) || !this.#sessions.has(connection)) return;
    const now = this.#epoch + time;
    const session = this.#sessions.get(connection) ?? this.#begin(connection, direction, now);
    session.tcp.data((direction === 'outbound') === session.isClient ? 'client' : 'server', item, now);
  };

  readonly #onClose = (event: unknown): void => {
    const { connection } = event as StackEvent;
    this.#sessions.get(connection)?.tcp.close(this.#epoch + clock.monotonic());
    this.#sessions.delete(connection);
  };

  /** In TLS the client speaks first, so the first bytes tell which end we are. */
  #begin(connection: number, direction: ItemEvent['direction'], now: number): Session {
    const number = this.#count++;
    const client = { host: FIRST_HOST + (Math.floor(number / PORTS) % HOSTS), port: FIRST_PORT + (number % PORTS) };
    const tcp = new TcpConnection(client, SERVER, now, (packet) => this.file.write(packet));
    const session = { tcp, isClient: direction === 'outbound' };
    this.#sessions.set(connection, session);
    return session;
  }
}

interface Session {
  readonly tcp: TcpConnection;
  readonly isClient: boolean;
}
