/** docs/pictures is what the code and the stacks give, and can be read on any ground. */
import t from 'tap';
import { differences, readFolder } from '../../docs/tools/generated.js';
import { measure } from '../../docs/tools/measure.js';
import { PICTURES, pictures } from '../../docs/tools/pictures.js';
import { layersOfStacks } from '../../docs/tools/stack-picture.js';
import { text } from '../../docs/tools/svg.js';
import * as stacks from '../../lib/roles/stacks.js';

void t.test('the pictures are up to date', async (t) => {
  const made = await pictures();
  t.same(differences(made, readFolder(PICTURES, '.svg')), [], 'run `npm run docs:pictures`');
  for (const [name, svg] of made) {
    t.match(
      svg,
      /^<svg [^>]*role='img'>\n<title>[^<]+<\/title>\n<rect [^>]*fill='#ffffff'\/>/,
      `${name} has a title and a ground of its own`,
    );
  }
  const stackNames = Object.keys(stacks).filter((name) => name.endsWith('Stack'));
  t.equal(stackNames.length, 8);
  for (const name of stackNames) t.ok(made.get('stacks.svg')?.includes(`>${name}<`), name);
});

void t.test('a stack is drawn with the layers that it has', async (t) => {
  const layers = layersOfStacks();
  t.same(
    Object.keys(layers).sort(),
    Object.keys(stacks)
      .filter((name) => name.endsWith('Stack'))
      .sort(),
  );
  t.same(layers.directClientStack, ['protobuf', 'length-prefix', 'tls']);
});

void t.test('the sizes are measured', async (t) => {
  const [small, large] = [await measure('/a', 100), await measure('/a', 40_000)];
  for (const sizes of [small, large]) {
    const [protobuf, prefix, tls] = sizes.client;
    t.equal(prefix?.below, (protobuf?.below as number) + 8);
    // RFC 8446: a header of 5 bytes, a type of 1 and a tag of 16 for each record of up to 2^14 bytes.
    t.equal(tls?.below, (prefix?.below as number) + 22 * Math.ceil((prefix?.below as number) / 2 ** 14));
    t.same(
      sizes.managerClient.map(({ layer, below }) => [layer, below]),
      sizes.client.slice(0, 3).map(({ layer, below }) => [layer, below]),
      'what arrives is what was sent',
    );
  }
});

void t.test('a text that is wider than its place is refused', async (t) => {
  t.match(text(0, 0, 'fits', { room: 100 }), />fits</);
  t.throws(() => text(0, 0, 'does not fit at all', { room: 100 }), { message: /takes \d+ pixels, and has 100/ });
});
