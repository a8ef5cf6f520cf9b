/** How an input can be read: its layer, dialect, frame, side and type. */
import type { Dialect } from '../../layers/formats/dialect.js';
import type { FrameKind } from '../../layers/frame/index.js';
import type { EnvelopeName } from '../../layers/protobuf/index.js';

/** The layers that an input can begin with, top of the stack first. */
export const LAYER_NAMES = Object.freeze(['protobuf', 'prefix', 'record', 'base64', 'session', 'http', 'bincode', 'frame'] as const);
export type LayerName = (typeof LAYER_NAMES)[number];

/** Which end sent the bytes. `status` is a bincode status that is not inside a message. */
export type Side = 'request' | 'response' | 'status';

/** One way to read an input. */
export interface Reading {
  readonly layer: LayerName;
  readonly dialect: Dialect;
  readonly frame: FrameKind;
  readonly side: Side;
  readonly type: EnvelopeName;
}

/** The parts of a reading that the user gave. For missing ones, all possibilities are tried. */
export type Known = Pick<Reading, 'layer' | 'dialect' | 'frame'> & Partial<Pick<Reading, 'side' | 'type'>>;

/** All readings that agree with what is known, the likelier first. */
export function readingsOf(known: Known): Reading[] {
  const { side, type } = known;
  const told = side ?? (type === undefined ? undefined : type.endsWith('Request') ? 'request' : 'response');
  const sides: Side[] =
    told !== undefined ? [told] : ['record', 'base64', 'http'].includes(known.layer) ? ['request'] : ['request', 'response'];
  return sides.map((each) => ({
    ...known,
    side: each,
    type: type ?? (each === 'response' ? 'RuntimeManagerResponse' : 'RuntimeManagerRequest'),
  }));
}
