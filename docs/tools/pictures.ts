/** The pictures of docs/pictures. `npm run docs:pictures` writes them; `test/docs/pictures.test.ts` compares them. */
import { join } from 'node:path';
import { ROOT } from './exports.js';
import { messagePicture } from './message-picture.js';
import { stackPicture } from './stack-picture.js';

export const PICTURES = join(ROOT, 'docs', 'pictures');

export async function pictures(): Promise<Map<string, string>> {
  return new Map([
    ['message.svg', await messagePicture()],
    ['stacks.svg', stackPicture()],
  ]);
}
