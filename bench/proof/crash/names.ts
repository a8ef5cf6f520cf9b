/** Names of files at the manager. */
export const PROGRAM = '/program/intersection.wasm';
export const FIRST = '/first/list';
export const SECOND = '/second/list';
export const OUTPUT = '/output/common';
export const PROBE = '/probe';
