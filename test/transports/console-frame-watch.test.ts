import fc from 'fast-check';
import t from 'tap';
import { FrameWatch } from '../../lib/transports/console/frame-watch.js';
import { byteByByte, cutAt, everyCut, seeded } from '../support/splits.js';
import { framed } from './console-support.js';

function watched(chunks: readonly Buffer[]): FrameWatch {
  const watch = new FrameWatch();
  for (const chunk of chunks) watch.push(chunk);
  return watch;
}

const figures = ({ frames, emptyFrames, midFrame, expected, got }: FrameWatch) => ({ frames, emptyFrames, midFrame, expected, got });

void t.test('counts whole frames, however they are cut', async (t) => {
  const bytes = Buffer.concat([framed(Buffer.from('ab')), framed(Buffer.alloc(0)), framed(Buffer.alloc(300, 1))]);
  const whole = { frames: 3, emptyFrames: 1, midFrame: false };
  t.match(figures(watched([bytes])), whole);
  t.match(figures(watched(byteByByte(bytes))), whole);
  for (const cut of everyCut(bytes)) t.match(figures(watched(cut)), whole);
});

void t.test('knows at every offset where it is', async (t) => {
  const frame = framed(Buffer.alloc(5));
  for (let at = 1; at < frame.length; at++) {
    const watch = watched([framed(Buffer.from('x')), frame.subarray(0, at)]);
    t.same(figures(watch), { frames: 1, emptyFrames: 0, midFrame: true, expected: at < 4 ? 4 : 9, got: at }, `offset ${at}`);
  }
});

void t.test('a length of 4 GiB - 1 is a length', async (t) => {
  const watch = watched([Buffer.from('ffffffff00', 'hex')]);
  t.same(figures(watch), { frames: 0, emptyFrames: 0, midFrame: true, expected: 2 ** 32 + 3, got: 5 });
});

void t.test('any frames, any cuts', async () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 600 })), fc.array(fc.nat()), fc.nat(), (payloads, cuts, end) => {
      const bytes = Buffer.concat(payloads.map((payload) => framed(Buffer.from(payload))));
      const seen = bytes.subarray(0, end % (bytes.length + 1));
      const watch = watched(cutAt(seen, cuts));
      let [frames, at] = [0, 0];
      while (frames < payloads.length && at + 4 + (payloads[frames] as Uint8Array).length <= seen.length) {
        at += 4 + (payloads[frames++] as Uint8Array).length;
      }
      return watch.frames === frames && watch.midFrame === at < seen.length && (!watch.midFrame || watch.got === seen.length - at);
    }),
    seeded(300),
  );
});
