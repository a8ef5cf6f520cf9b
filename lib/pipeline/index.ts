/** `veracruz-streams/pipeline`: layers on each other, over a byte pipe. */
export { Channel, type ChannelOptions } from './channel.js';
export { DIAGNOSTICS, type LayerTraffic, type StackEvent } from './diagnostics.js';
export { type AnyLayer, type Chained, type Stack, stack } from './stack.js';
