/** `veracruz-streams/pipeline`: layers on each other, over a byte pipe; and what passes between them, recorded. */
export { Channel, type ChannelOptions } from './channel.js';
export { DIAGNOSTICS, type Direction, type ItemEvent, type LayerTraffic, type StackEvent } from './diagnostics.js';
export { type AnyLayer, type Chained, type Stack, stack } from './stack.js';
export { captureTo } from './trace/capture.js';
export type { Recording, RecordingOptions } from './trace/recorder.js';
export { type TraceOptions, traceTo } from './trace/trace.js';
