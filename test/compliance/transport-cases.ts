/** Every transport, and what a test needs to know of it besides what it says of itself. To add one is to add an entry. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Test } from 'tap';
import { http } from '../../lib/transports/http.js';
import { memory } from '../../lib/transports/memory.js';
import { serial } from '../../lib/transports/serial.js';
import { tcp } from '../../lib/transports/tcp.js';
import type { AnyAddress, Transport } from '../../lib/transports/transport.js';
import { unix } from '../../lib/transports/unix.js';
import { PairedDevice } from './paired-device.js';

export type T = Pick<Test, 'teardown'>;

/** A place where nobody listens yet, and what belongs to it. */
export interface Site {
  /** To listen at, and (with the scheme as its kind) to dial to. */
  readonly address: AnyAddress;
  readonly listenOptions?: object;
  /** For a transport that is never dialled: the other end of its pipe. */
  readonly peer?: Duplex;
  /** What is left of it, in words, when all is closed. */
  readonly leftovers?: () => readonly string[];
}

export interface TransportCase {
  readonly transport: Transport<any, any, any>;
  /** A site that no other test uses. */
  site(t: T): Site;
  /** Texts that are addresses of this transport, as they are written back. */
  readonly texts: readonly string[];
  /** Texts with its scheme that are none. */
  readonly wrongTexts: readonly string[];
  /** The layer that its errors name, on dialling and listening, and what they say. */
  readonly layer: string;
  readonly nobody?: RegExp;
  readonly taken: RegExp;
}

let names = 0;

export const TRANSPORT_CASES: readonly TransportCase[] = [
  {
    transport: memory,
    site: () => ({ address: { kind: 'memory-listen', name: `compliance-${++names}` } as AnyAddress }),
    texts: ['memory://a', 'memory-listen://A_b.c~d-9'],
    wrongTexts: ['memory://', 'memory:///a', 'memory://a b', `memory://${'x'.repeat(256)}`, 'MEMORY://a', 'memory://a/b'],
    layer: 'transport',
    nobody: /: nobody listens at that name \(ECONNREFUSED\)$/,
    taken: /: the name is in use$/,
  },
  {
    transport: tcp,
    site: () => ({ address: { kind: 'tcp-listen', host: '127.0.0.1', port: 0 } as AnyAddress }),
    texts: ['tcp://127.0.0.1:6000', 'tcp://[::1]:65535', 'tcp-listen://example.org:0'],
    wrongTexts: ['tcp://h', 'tcp://h:65536', 'tcp://h:1/', 'tcp-listen:///p', 'TCP://h:1'],
    layer: 'transport',
    nobody: /: nobody listens at that port \(ECONNREFUSED\)$/,
    taken: /: the port is in use$/,
  },
  {
    transport: unix,
    site(t) {
      const folder = mkdtempSync(join(tmpdir(), 'vcc-'));
      t.teardown(() => rmSync(folder, { recursive: true, force: true }));
      const path = join(folder, 'socket');
      return { address: { kind: 'unix-listen', path } as AnyAddress, leftovers: () => (existsSync(path) ? [path] : []) };
    },
    texts: ['unix:///run/x.sock', 'unix-listen:///run/x y'],
    wrongTexts: ['unix://relative', 'unix-listen://', 'unix:///a\nb', `unix:///${'x'.repeat(107)}`],
    layer: 'transport',
    nobody: /: no such file or folder \(ENOENT\)$/,
    taken: /: another process listens at that file \(EADDRINUSE\)$/,
  },
  {
    transport: serial,
    site() {
      const binding = new PairedDevice();
      return {
        address: { kind: 'serial', path: '/dev/paired' } as AnyAddress,
        // The bytes of these tests are no frames.
        listenOptions: { console: { binding, frameTimeoutMs: 0, reopenFirstMs: 1, reopenLastMs: 1 } },
        peer: binding.host,
        leftovers: () => (binding.isOpen ? ['the device is open'] : []),
      };
    },
    texts: ['serial:///dev/hvc0', `serial:///${'x'.repeat(200)}`],
    wrongTexts: ['serial://COM3', 'serial:/dev/hvc0', 'serial-listen:///dev/hvc0'],
    layer: 'console',
    taken: /: it is locked, another process has it open$/,
  },
  {
    transport: http,
    site: () => ({
      address: { kind: 'http', url: 'http://127.0.0.1:0/runtime_manager' } as AnyAddress,
      listenOptions: { maxBodyBytes: 2 ** 26 },
    }),
    texts: ['http://127.0.0.1:3010/', 'http://[::1]:3010/a?b=c'],
    wrongTexts: ['http://', 'http://user:secret@h/', 'https://h/'],
    layer: 'http',
    nobody: /^cannot connect to 127\.0\.0\.1:\d+: .*ECONNREFUSED/,
    taken: /: the port is in use$/,
  },
];
