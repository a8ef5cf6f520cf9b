/** Whose time a node of a CPU profile is: of a layer, of a part of Node, of native code by kind. */
import type { Profile } from '../harness/sampler.js';

type Node = Profile['nodes'][number];

/** What functions of native code are called whose time deserves a row of its own. */
const NATIVE: readonly (readonly [RegExp, string])[] = [
  [/^base64/, 'native: base64'],
  [/^(latin1|ascii|utf8|ucs2)(Slice|Write)|^utf8WriteStatic$|^toString$|^byteLengthUtf8$/, 'native: text'],
  [/^(copy|copyArrayBuffer|set|fill|slice)$/, 'native: copy'],
  [/^update$/, 'native: hash or cipher'],
  [/^(readBuffer|receive)$/, 'native: tls'],
  [/^(allocUnsafe|createUnsafeBuffer|ArrayBuffer|Uint8Array|FastBuffer)$/, 'native: allocation'],
];
const SOCKET_WRITE = /^(writeBuffer|writev|writeLatin1String|writeUtf8String|writeAsciiString)$/;

/** Names that the profiler gives to what is no function. */
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['(garbage collector)', 'gc'],
  ['(program)', 'program'],
  ['(idle)', 'idle'],
  ['(root)', 'program'],
]);

/** Parts of Node, by the name of the script. */
const NODE: readonly (readonly [RegExp, string])[] = [
  [/tls|crypto|js_stream_socket/, 'node: tls'],
  [/http|llhttp/, 'node: http'],
  [/internal\/streams|node:stream/, 'node: stream'],
  [/node:net|stream_base_commons|node:dgram/, 'node: net'],
  [/buffer/, 'node: buffer'],
  [/timers|task_queues|promise|async_hooks|event/, 'node: events, ticks and timers'],
];

/** The time of each bucket, microseconds, and of each function. */
export interface Split {
  readonly buckets: ReadonlyMap<string, number>;
  /** `name at script:line` → microseconds of its own. */
  readonly functions: ReadonlyMap<string, number>;
}

/** Splits a profile's time among the buckets; each moment counts for the function that ran, not for its callers. */
export function splitOf(profile: Profile): Split {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map<number, Node>();
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node);
  const bucketOf = memoised((node: Node) => bucket(node, nodes, parents));
  const buckets = new Map<string, number>();
  const functions = new Map<string, number>();
  const { samples = [], timeDeltas = [] } = profile;
  samples.forEach((id, i) => {
    const node = nodes.get(id) as Node;
    // The time after a sample is what its function ran on for.
    const us = Math.max(0, timeDeltas[i + 1] ?? 0);
    add(buckets, bucketOf(node), us);
    add(functions, `${node.callFrame.functionName || '(anonymous)'} ${placeOf(node, parents)}`, us);
  });
  return { buckets, functions };
}

function bucket(node: Node, nodes: ReadonlyMap<number, Node>, parents: ReadonlyMap<number, Node>): string {
  const { functionName, url } = node.callFrame;
  const special = SPECIAL.get(functionName);
  if (special !== undefined) return special;
  if (url !== '') return scriptBucket(url);
  if (SOCKET_WRITE.test(functionName)) {
    const below = (node.children ?? []).some((id) => nodes.get(id)?.callFrame.url.includes('js_stream_socket'));
    return below || ancestors(node, parents).some((above) => isTls(above.callFrame.url)) ? 'native: tls' : 'native: socket write';
  }
  const native = NATIVE.find(([pattern]) => pattern.test(functionName));
  if (native !== undefined) return native[1];
  const caller = ancestors(node, parents).find((above) => above.callFrame.url !== '');
  return caller === undefined ? 'program' : scriptBucket(caller.callFrame.url);
}

/** The bucket of a script, by its URL. */
export function scriptBucket(url: string): string {
  const own = /\/dist\/lib\/(layers\/[^/]+|[^/]+)\//.exec(url);
  const dependency = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url);
  if (url.startsWith('node:')) return NODE.find(([pattern]) => pattern.test(url))?.[1] ?? 'node: other';
  if (dependency !== null) return `npm: ${dependency[1]}`;
  if (url.includes('/dist/bench/')) return 'bench';
  return own === null ? 'other' : `lib/${own[1]}`;
}

function isTls(url: string): boolean {
  return /_tls_|\/layers\/tls\//.test(url);
}

function ancestors(node: Node, parents: ReadonlyMap<number, Node>): Node[] {
  const above: Node[] = [];
  for (let at = parents.get(node.id); at !== undefined; at = parents.get(at.id)) above.push(at);
  return above;
}

/** Script and line; for native code, those of whoever called it. */
function placeOf(node: Node, parents: ReadonlyMap<number, Node>): string {
  if (SPECIAL.has(node.callFrame.functionName)) return '';
  const named = [node, ...ancestors(node, parents)].find(({ callFrame }) => callFrame.url !== '');
  if (named === undefined) return '(native)';
  const { url, lineNumber, functionName } = named.callFrame;
  const script = url.replace(/^.*\/(dist|node_modules)\//, '');
  return named === node ? `${script}:${lineNumber + 1}` : `(native, of ${functionName} ${script}:${lineNumber + 1})`;
}

function add(sums: Map<string, number>, key: string, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}

function memoised<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>();
  return (key) => {
    const known = made.get(key) ?? make(key);
    made.set(key, known);
    return known;
  };
}
