import { descriptorCalls } from './descriptor-calls.js';
import type { Host } from './host.js';
import { pathCalls } from './path-calls.js';
import type { Preview1 } from './preview1.js';
import { systemCalls } from './system-calls.js';

/** All that a program can call. */
export function callsOf(host: Host): Preview1 {
  return { ...systemCalls(host), ...descriptorCalls(host), ...pathCalls(host) };
}
