/** The pipe below a TLS session of the manager: what waits in it, and who waits for it. */
import t from 'tap';
import { SessionPipe } from '../../lib/roles/runtime-manager/session-pipe.js';

const MIB = 2 ** 20;
const turn = () => new Promise((go) => setImmediate(go));

void t.test('TLS waits while a MiB waits to be fetched', async (t) => {
  const pipe = new SessionPipe({ onOutput: () => {}, onMessageOut: () => {} });
  t.teardown(() => pipe.destroy());
  let taken = 0;
  const write = (bytes: number) => pipe.write(Buffer.alloc(bytes), () => taken++);
  write(MIB - 1);
  await turn();
  t.equal(taken, 1, 'below it there is room');
  write(1);
  write(5);
  await turn();
  t.equal(taken, 1, 'at it there is none');
  t.equal(pipe.outputBytes, MIB, 'and what is written then is not taken yet');
  t.equal(pipe.fetch(1).length, 1);
  await turn();
  t.equal(taken, 2, 'room for the one that waits first');
  t.equal(pipe.outputBytes, MIB + 4);
});

void t.test('what waits can be fetched when the pipe is gone, in the sizes that are asked for', async (t) => {
  const pipe = new SessionPipe({ onOutput: () => {}, onMessageOut: () => {} });
  pipe.on('error', () => {});
  pipe.write(Buffer.from('abc'));
  pipe.write(Buffer.from('defgh'));
  await turn();
  pipe.destroy(new Error('the session failed'));
  await turn();
  const text = (max: number) => Buffer.concat([...pipe.fetch(max)]).toString();
  t.equal(text(2), 'ab');
  t.equal(text(4), 'cdef');
  t.equal(text(100), 'gh');
  t.equal(text(100), '');
  t.equal(pipe.outputBytes, 0);
});

void t.test('one that is gone takes no ciphertext, and lets go of who waits', async (t) => {
  const pipe = new SessionPipe({ onOutput: () => {}, onMessageOut: () => {} });
  let error: unknown;
  pipe.write(Buffer.alloc(2 * MIB), (fault) => {
    error = fault ?? 'none';
  });
  pipe.destroy();
  await turn();
  t.not(error, undefined, 'the write is answered');
  pipe.feed([Buffer.from('late')]);
  t.equal(pipe.fedBytes, 0);
  t.equal(pipe.readableLength, 0);
});
