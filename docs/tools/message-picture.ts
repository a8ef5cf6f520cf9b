/** The picture of one message's way through the stacks, with its bytes at each layer, as measured. */
import { GOES_DOWN, measure, type Sizes, type StackName } from './measure.js';
import { box, GREY, line, picture, text } from './svg.js';

const FILE = '/input/table.csv';
const FILE_BYTES = 20_000;

const WIDTH = 216;
const HEIGHT = 44;
const STEP = HEIGHT + 28;
const MARGIN = 24;
const TOP = 52;
/** The left edges of the columns: client; Server towards clients, and towards a manager; manager. */
const COLUMNS = [0, 1, 2, 3].map((column) => MARGIN + column * (WIDTH + 40));

/** What a layer does to a message that goes down, and to one that comes up. */
const DOES: Readonly<Record<string, readonly [down: string, up: string]>> = {
  protobuf: ['fields before the file', 'reads the fields'],
  'length-prefix': ['8 bytes of length before it', 'takes the length off'],
  tls: ['encrypts, 16 KiB a record', 'decrypts'],
  records: ['whole records in a POST', 'looks at their headers'],
  base64: ['4 letters for 3 bytes', '3 bytes for 4 letters'],
  session: ["the session's id before it", 'finds the session by its id'],
  bincode: ['makes it a SendTlsData', 'reads the SendTlsData'],
  frame: ['9 bytes of length before it', 'takes the length off'],
};

const left = (column: number) => COLUMNS[column] as number;
const centre = (column: number) => left(column) + WIDTH / 2;
const rowTop = (row: number) => TOP + row * STEP;

/** A box with two lines: a name, and what happens there. */
function cell(name: string, says: string, column: number, row: number, fill = '#e3eefc'): string {
  const y = rowTop(row);
  return (
    box({ x: left(column), y, width: WIDTH, height: HEIGHT }, fill) +
    text(centre(column), y + 18, name, { bold: true, anchor: 'middle', room: WIDTH - 16 }) +
    text(centre(column), y + 35, says, { anchor: 'middle', size: 12, colour: GREY, room: WIDTH - 16 })
  );
}

/** An arrow between the boxes of two rows, with the bytes that go there. */
function arrow(bytes: number, column: number, from: number, to: number): string {
  const [upper, lower] = [Math.min(from, to), Math.max(from, to)];
  const [top, bottom] = [rowTop(upper) + HEIGHT + 2, rowTop(lower) - 2];
  const x = centre(column);
  return (
    line([x, from < to ? top : bottom], [x, from < to ? bottom : top], { heads: 'end' }) +
    text(x + 12, bottom - 8, `${bytes.toLocaleString('en-US')} bytes`, { size: 12, room: WIDTH / 2 })
  );
}

/** The layers of a stack in a column, with the bytes below each; the first in `row`, what is below the last in `below`. */
function stackShapes(name: StackName, sizes: Sizes, column: number, row: number, below: number): string {
  const down = GOES_DOWN[name];
  const layers = sizes[name];
  const shapes = layers.map(({ layer, below: bytes }, i) => {
    const does = DOES[layer];
    if (does === undefined) throw new Error(`docs/tools/message-picture.ts does not say what the layer ${layer} does`);
    const next = i === layers.length - 1 ? below : row + i + 1;
    const at = row + i;
    return cell(layer, does[down ? 0 : 1], column, at) + (down ? arrow(bytes, column, at, next) : arrow(bytes, column, next, at));
  });
  return shapes.join('');
}

function wire(column: number, row: number, words: string): string {
  const [x, y, width] = [left(column), rowTop(row), left(column + 1) + WIDTH - left(column)];
  return (
    box({ x, y, width, height: 34 }, '#e7e9ec') +
    text(x + width / 2, y + 22, words, { anchor: 'middle', room: width - 24 }) +
    line([x + width - 70, y + 17], [x + width - 20, y + 17], { heads: 'end' })
  );
}

/** The Server's way from one stack to the other, above the row in which both begin. */
function relay(bytes: number, row: number): string {
  const y = rowTop(row) - 34;
  return (
    line([centre(1), rowTop(row) - 2], [centre(1), y]) +
    line([centre(1), y], [centre(2), y]) +
    line([centre(2), y], [centre(2), rowTop(row) - 2], { heads: 'end' }) +
    text((centre(1) + centre(2)) / 2, y - 10, `ciphertext, as it is: ${bytes.toLocaleString('en-US')} bytes`, {
      size: 12,
      anchor: 'middle',
    })
  );
}

export async function messagePicture(): Promise<string> {
  const sizes = await measure(FILE, FILE_BYTES);
  const bottom = sizes.client.length + 1;
  const ends = '#ffe2b8';
  const pairRow = bottom - sizes.serverClient.length;
  const linkRow = bottom - sizes.managerServer.length;
  const shapes = [
    text(centre(0), 30, 'Veracruz Client', { bold: true, size: 15, anchor: 'middle', room: WIDTH }),
    text((centre(1) + centre(2)) / 2, 30, 'Veracruz Server', { bold: true, size: 15, anchor: 'middle', room: WIDTH }),
    text(centre(3), 30, 'Runtime Manager', { bold: true, size: 15, anchor: 'middle', room: WIDTH }),
    cell('write_file', FILE, 0, 0, ends),
    arrow(FILE_BYTES, 0, 0, 1),
    stackShapes('client', sizes, 0, 1, bottom),
    stackShapes('serverClient', sizes, 1, pairRow, bottom),
    relay(sizes.serverClient[0]?.above as number, pairRow),
    stackShapes('serverManager', sizes, 2, linkRow, bottom),
    stackShapes('managerServer', sizes, 3, linkRow, bottom),
    stackShapes('managerClient', sizes, 3, 1, linkRow),
    arrow(FILE_BYTES, 3, 1, 0),
    cell('the store of files', FILE, 3, 0, ends),
    wire(0, bottom, 'the body of one POST'),
    wire(2, bottom, 'one frame on the link'),
  ];
  const title = `A file of ${FILE_BYTES} bytes on its way from a client to a Runtime Manager, with its bytes at each layer`;
  return picture(left(3) + WIDTH + MARGIN, rowTop(bottom) + 34 + MARGIN, title, shapes.join(''));
}
