import type { FileHandle } from 'node:fs/promises';
import fc from 'fast-check';
import t from 'tap';
import { writeAll } from '../../lib/enclave/store/write-all.js';
import { seeded } from '../support/splits.js';

/** A file that takes as many bytes a call as it is told to, in turn. */
function stingy(takes: readonly number[]) {
  const content: number[] = [];
  let calls = 0;
  const writev = async (chunks: readonly Buffer[], position: number) => {
    const bytes = Buffer.concat(chunks).subarray(0, takes[calls++ % takes.length]);
    for (const [i, byte] of bytes.entries()) content[position + i] = byte;
    return { bytesWritten: bytes.length, buffers: chunks };
  };
  return { file: { writev } as unknown as FileHandle, content, calls: () => calls };
}

void t.test('what the system did not take is written again, from where it stopped', async () => {
  const chunk = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
  await fc.assert(
    fc.asyncProperty(
      fc.array(chunk, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      fc.nat(9),
      async (chunks, takes, start) => {
        const { file, content } = stingy(takes);
        await writeAll(file, chunks, start);
        return Buffer.from(content.slice(start)).equals(Buffer.concat(chunks));
      },
    ),
    seeded(1000),
  );
});

void t.test('one call where the system takes all, none where there is nothing', async (t) => {
  const { file, calls } = stingy([1000]);
  await writeAll(file, [Buffer.alloc(0)], 0);
  t.equal(calls(), 0);
  await writeAll(file, [Buffer.alloc(10), Buffer.alloc(0), Buffer.alloc(20)], 0);
  t.equal(calls(), 1);
});
