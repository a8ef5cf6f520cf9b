/**
 * The guest's program of the console test: answers frames over `VirtioConsole` on /dev/hvc0. Each frame is a command:
 *
 *     01 <bytes>        the same frame back
 *     02 <u32 LE n>     n bytes of the pattern, in one frame
 *     03 <bytes>        their SHA-256
 *     04                from the next link on, with hello
 */
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { parseAddress } from '../../lib/transports/address.js';
import { openPipe } from '../../lib/transports/pipe.js';
import type { Listener } from '../../lib/transports/socket.js';
import { FrameReader, framed, pattern } from './commands.js';

const address = parseAddress('serial:///dev/hvc0');
let listener: Promise<Listener | Duplex>;
let hello = false;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function open(): void {
  listener = openPipe(address, {
    console: {
      hello,
      onTrouble: (error) => say(`link ended: ${error.code} ${error.message}`),
    },
    onPipe: serve,
  });
  listener.then(
    () => say(hello ? 'console ready with hello' : 'console ready'),
    (error: Error) => say(`console failed: ${error.message}`),
  );
}

function serve(link: Duplex): void {
  say('fresh link');
  const reader = new FrameReader();
  link.on('data', (chunk: Buffer) => {
    for (const command of reader.push(chunk)) answer(link, command);
  });
}

function answer(link: Duplex, command: Buffer): void {
  const rest = command.subarray(1);
  switch (command[0]) {
    case 1:
      link.write(framed(command));
      break;
    case 2:
      link.write(framed(pattern(rest.readUInt32LE(0))));
      break;
    case 3:
      link.write(framed(createHash('sha256').update(rest).digest()));
      break;
    case 4:
      hello = true;
      void listener.then((console) => (console as Listener).close()).then(open);
      break;
    default:
      say(`no such command: ${command[0]}`);
  }
}

open();
