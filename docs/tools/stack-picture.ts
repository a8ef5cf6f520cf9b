/** The picture of the eight stacks, from lib/roles/stacks.ts. */
import { makeIdentity } from '../../lib/attestation/identity.js';
import * as stacks from '../../lib/roles/stacks.js';
import { box, GREY, line, picture, text } from './svg.js';

const LAYER_HEIGHT = 32;
const STEP = LAYER_HEIGHT + 12;
const WIDTH = 196;
const HEAD_HEIGHT = 24;
const MARGIN = 40;

/** The colour of a layer, by what it is for. A layer that is not named is a framing one. */
const COLOURS: Readonly<Record<string, string>> = {
  protobuf: '#ffe2b8',
  bincode: '#ffe2b8',
  tls: '#c6e7cb',
  records: '#c6e7cb',
};
const FRAMING = '#cfe2fb';
const WIRE = '#e7e9ec';

/** The names of the layers of each stack, top to wire. */
export function layersOfStacks(): Readonly<Record<string, readonly string[]>> {
  const { certificate, key } = makeIdentity({ commonName: 'pictures' });
  const messages = { dialect: '2207', maxMessageBytes: 2 ** 30 } as const;
  const link = { dialect: '2207', frame: 'tcp9' } as const;
  const client = { role: 'client', certificate, key, authority: certificate } as const;
  const made: Readonly<Record<keyof typeof stacks, { readonly layers: ReadonlyArray<{ readonly name: string }> }>> = {
    clientStack: stacks.clientStack({ ...messages, tls: client, batchBytes: () => 0 }),
    directClientStack: stacks.directClientStack({ ...messages, tls: client }),
    serverClientStack: stacks.serverClientStack(1),
    serverManagerStack: stacks.serverManagerStack(link),
    managerServerStack: stacks.managerServerStack(link),
    managerClientStack: stacks.managerClientStack({ ...messages, tls: { role: 'server', certificate, key, identities: [certificate] } }),
    attestationClientStack: stacks.attestationClientStack(),
    attestationServerStack: stacks.attestationServerStack(),
  };
  return Object.fromEntries(Object.entries(made).map(([name, { layers }]) => [name, layers.map((layer) => layer.name)]));
}

interface Place {
  readonly x: number;
  /** Where its name begins; or, with `bottom`, where its last layer ends. */
  readonly y: number;
  readonly bottom?: boolean;
}

const heightOf = (layers: readonly string[]) => HEAD_HEIGHT + layers.length * STEP - (STEP - LAYER_HEIGHT);

/** One stack: its name, and a box for each layer. */
function stackShapes(name: string, layers: readonly string[], { x, y, bottom = false }: Place): string {
  const top = bottom ? y - heightOf(layers) : y;
  const boxes = layers.map((layer, i) => {
    const at = top + HEAD_HEIGHT + i * STEP;
    const place = { x, y: at, width: WIDTH, height: LAYER_HEIGHT };
    return box(place, COLOURS[layer] ?? FRAMING) + text(x + WIDTH / 2, at + 21, layer, { anchor: 'middle', room: WIDTH - 12 });
  });
  return text(x + WIDTH / 2, top + 14, name, { mono: true, size: 12, anchor: 'middle', colour: GREY, room: WIDTH + 12 }) + boxes.join('');
}

/** What is below stacks: a box from the first column to the last. */
function wire(x: number, y: number, width: number, words: string): string {
  return box({ x, y, width, height: LAYER_HEIGHT }, WIRE) + text(x + width / 2, y + 21, words, { anchor: 'middle', room: width - 12 });
}

/** The left edges of the four columns: client; Server towards clients, and towards a manager; manager. */
const COLUMNS = [MARGIN, MARGIN + 280, MARGIN + 280 + WIDTH + 16, MARGIN + 280 + 2 * WIDTH + 100] as const;
const RIGHT = COLUMNS[3] + WIDTH;

function heading(x: number, width: number, y: number, words: string): string {
  return text(x + width / 2, y, words, { bold: true, size: 15, anchor: 'middle', room: width + 2 * MARGIN - 16 });
}

const centre = (column: number) => (COLUMNS[column] as number) + WIDTH / 2;

function clientServerManager(all: Readonly<Record<string, readonly string[]>>, top: number): { shapes: string; bottom: number } {
  const layers = (name: string) => all[name] as readonly string[];
  const bottom = top + heightOf(layers('clientStack'));
  const column = (name: string, x: number) => stackShapes(name, layers(name), { x, y: bottom, bottom: true });
  const tlsAt = top + HEAD_HEIGHT + layers('managerClientStack').indexOf('tls') * STEP + LAYER_HEIGHT / 2;
  const relayAt = bottom - heightOf(layers('serverClientStack')) - 14;
  const managerEnds = top + heightOf(layers('managerClientStack'));
  const shapes = [
    column('clientStack', COLUMNS[0]),
    column('serverClientStack', COLUMNS[1]),
    column('serverManagerStack', COLUMNS[2]),
    column('managerServerStack', COLUMNS[3]),
    stackShapes('managerClientStack', layers('managerClientStack'), { x: COLUMNS[3], y: top }),
    line([COLUMNS[0] + WIDTH + 4, tlsAt], [COLUMNS[3] - 4, tlsAt], { dashed: true, heads: 'both' }),
    text((COLUMNS[0] + RIGHT) / 2, tlsAt - 8, 'one TLS session, from end to end', { anchor: 'middle', colour: GREY }),
    line([centre(1), relayAt + 10], [centre(1), relayAt]),
    line([centre(1), relayAt], [centre(2), relayAt]),
    line([centre(2), relayAt], [centre(2), relayAt + 10], { heads: 'end' }),
    text((centre(1) + centre(2)) / 2, relayAt - 7, 'ciphertext, as it is', { anchor: 'middle', colour: GREY }),
    line([centre(3), managerEnds + 3], [centre(3), bottom - heightOf(layers('managerServerStack')) - 1], { heads: 'both' }),
    wire(COLUMNS[0], bottom + 8, COLUMNS[1] + WIDTH - COLUMNS[0], 'HTTP, over TCP 3011'),
    wire(COLUMNS[2], bottom + 8, RIGHT - COLUMNS[2], 'TCP 6000, Unix socket or VirtIO console'),
  ];
  return { shapes: shapes.join(''), bottom: bottom + 8 + LAYER_HEIGHT };
}

/** The two exchanges beside the first: a client without HTTP, and attestation. */
function besides(all: Readonly<Record<string, readonly string[]>>, top: number): { shapes: string; bottom: number } {
  const layers = (name: string) => all[name] as readonly string[];
  const bottom = top + heightOf(layers('attestationClientStack'));
  const column = (name: string, x: number) => stackShapes(name, layers(name), { x, y: bottom, bottom: true });
  const shapes = [
    column('directClientStack', COLUMNS[0]),
    text(centre(1), bottom - 30, 'no layer: it passes on', { anchor: 'middle', colour: GREY, room: WIDTH }),
    text(centre(1), bottom - 12, 'the bytes of TLS', { anchor: 'middle', colour: GREY, room: WIDTH }),
    wire(COLUMNS[0], bottom + 8, COLUMNS[1] + WIDTH - COLUMNS[0], 'TCP (head dialect)'),
    column('attestationClientStack', COLUMNS[2]),
    column('attestationServerStack', COLUMNS[3]),
    wire(COLUMNS[2], bottom + 8, RIGHT - COLUMNS[2], 'HTTP, over TCP 3010'),
  ];
  return { shapes: shapes.join(''), bottom: bottom + 8 + LAYER_HEIGHT };
}

export function stackPicture(): string {
  const all = layersOfStacks();
  const first = clientServerManager(all, 50);
  const second = besides(all, first.bottom + 66);
  const headings = [
    heading(COLUMNS[0], WIDTH, 34, 'Veracruz Client'),
    heading(COLUMNS[1], COLUMNS[2] + WIDTH - COLUMNS[1], 34, 'Veracruz Server'),
    heading(COLUMNS[3], WIDTH, 34, 'Runtime Manager'),
    heading(COLUMNS[0], WIDTH, first.bottom + 50, 'Client without HTTP'),
    heading(COLUMNS[1], WIDTH, first.bottom + 50, 'Server'),
    heading(COLUMNS[2], WIDTH, first.bottom + 50, 'Server'),
    heading(COLUMNS[3], WIDTH, first.bottom + 50, 'Proxy Attestation Server'),
  ];
  const title = 'The eight stacks of the roles, each from the application at its top to the wire below it';
  return picture(RIGHT + MARGIN, second.bottom + 28, title, headings.join('') + first.shapes + second.shapes);
}
