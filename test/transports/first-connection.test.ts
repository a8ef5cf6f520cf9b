/** The first connection of a process, whose HTTP parser is still being compiled when the peer resets it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { tcpServer, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import '../support/processes.js';

const CLIENT = pathToFileURL(join(PROJECT_ROOT, 'dist', 'lib', 'transports', 'http-client.js')).href;

/** Posts something, in a process where a parser takes 300 ms to compile. Prints the error's code. */
const program = (port: number) => `
  const { compile } = WebAssembly;
  WebAssembly.compile = async (...args) => {
    await new Promise((go) => setTimeout(go, 300));
    return compile(...args);
  };
  const { HttpExchange } = await import('${CLIENT}');
  const exchange = new HttpExchange({ url: 'http://127.0.0.1:${port}/x' });
  exchange.on('error', ({ code }) => console.log(code));
  exchange.resume().end(Buffer.from('body'));
`;

void t.test('a reset before anybody listens is an error of the call, and not of the process', async (t) => {
  for (const waitMs of [0, 20]) {
    const { port } = await tcpServer(t, (socket) => void setTimeout(() => socket.resetAndDestroy(), waitMs));
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
    t.teardown(() => child.kill('SIGKILL'));
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    const [code] = (await within('the end of the process', once(child, 'close'))) as [number | null];
    t.same([code, err], [0, ''], `${waitMs} ms`);
    t.match(out, /^ERR_VC_[A-Z_]+\n$/);
  }
});
