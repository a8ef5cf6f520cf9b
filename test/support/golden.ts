/** The golden vectors as the tests take them: from `fixtures/wire`, or from the folder that `WIRE_FIXTURES` names. */
import { fileURLToPath } from 'node:url';
import * as wire from '../../lib/wire/index.js';

export const PROJECT_ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDER = process.env.WIRE_FIXTURES ?? wire.VECTORS_FOLDER;

export type GoldenDialect = wire.VectorDialect;
export type GoldenBytes = wire.VectorBytes;

/** A vector whose value may be anything: a test knows what it asks for. */
export interface Vector extends Omit<wire.Vector, 'value'> {
  value: any;
}

export interface NegativeVector extends Omit<wire.NegativeVector, 'value'> {
  value?: any;
  wire?: { hex: string };
  chunks?: { hex: string }[];
  steps?: wire.PrefixStep[];
}

export const vectors = (layer: wire.WireLayer): Vector[] => wire.vectors(layer, FOLDER);
export const negativeVectors = (layer: wire.WireLayer): NegativeVector[] => wire.negativeVectors(layer, FOLDER);
export { asWire, vectorBytes as goldenBytes, vectorText as goldenText } from '../../lib/wire/index.js';
