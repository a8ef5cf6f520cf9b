import { textOf } from '../../../core/check.js';
import { FileNameError, PolicyError } from '../../../core/errors.js';
import { normaliseName } from '../../store/file-name.js';

/** Bytes of UTF-8 that a script may have. */
export const MAX_PIPELINE_BYTES = 65_536;
/** How deep blocks may be in each other. */
export const MAX_PIPELINE_DEPTH = 64;

/** What a script says. Paths are normal names (`normaliseName`). */
export type Pipeline =
  /** Runs a program. */
  | { readonly kind: 'program'; readonly path: string }
  /** Runs one after the other, as long as each ends with 0. */
  | { readonly kind: 'sequence'; readonly steps: readonly Pipeline[] }
  /** Runs the one or the other: it asks whether a file is there. */
  | { readonly kind: 'if'; readonly path: string; readonly then: Pipeline; readonly else: Pipeline };

/**
 * Reads the script of a pipeline (wire spec §E), in the grammar of the original:
 *
 *     script      =  [ expression { ';' expression } [ ';' ] ]
 *     expression  =  path  |  block  |  'if' path block [ 'else' block ]
 *     block       =  '{' script '}'
 *
 *     /program/clean.wasm ; if /input/extra { /program/merge.wasm } else { /program/copy.wasm } ; /program/sum.wasm
 *
 * A script of one expression is read as that expression, any other script as a sequence.
 *
 * A path goes to the next white space, `;`, `{` or `}`. (In the original only white space ends it, so that a script for
 * both has a space before each `;`.)
 *
 * @throws PolicyError, whose `offset` is that of the first bad character, in UTF-16 units from the start; for a script
 * over 65,536 bytes, and for one with blocks nested deeper than 64, with `got` and `limit`
 */
export function parsePipeline(script: string): Pipeline {
  const got = Buffer.byteLength(textOf('script', script));
  if (got > MAX_PIPELINE_BYTES) {
    const message = `a pipeline of ${got} bytes, the limit is ${MAX_PIPELINE_BYTES}`;
    throw new PolicyError(message, { layer: 'pipeline', got, limit: MAX_PIPELINE_BYTES });
  }
  return new Parser(script).whole();
}

/** What is next: one of the signs `{`, `}`, `;`, a word, or nothing. */
interface Token {
  readonly text: string;
  readonly offset: number;
}

class Parser {
  readonly #tokens: IterableIterator<RegExpExecArray>;
  readonly #end: number;
  #next: Token;
  #depth = 0;

  constructor(script: string) {
    this.#tokens = script.matchAll(/[{};]|[^{};\s]+/g);
    this.#end = script.length;
    this.#next = this.#read();
  }

  whole(): Pipeline {
    const steps = this.#script('');
    const [only] = steps;
    return only !== undefined && steps.length === 1 ? only : { kind: 'sequence', steps };
  }

  /** Reads the expressions up to the token `end`, which is `}` in a block and the empty text at the top level. */
  #script(end: '}' | ''): Pipeline[] {
    const steps: Pipeline[] = [];
    while (!this.#comes(end)) {
      steps.push(this.#expression());
      if (!this.#comes(end)) this.#expect(';', end === '' ? '; or the end' : `; or ${end}`);
    }
    return steps;
  }

  #expression(): Pipeline {
    if (this.#comes('{')) return this.#block();
    if (!this.#comes('if')) return { kind: 'program', path: this.#path('a path, a block or if') };
    this.#take();
    const path = this.#path('a path', true);
    const then = this.#block();
    return { kind: 'if', path, then, else: this.#comes('else') ? this.#else() : EMPTY };
  }

  #else(): Pipeline {
    this.#take();
    return this.#block();
  }

  #block(): Pipeline {
    const { offset } = this.#expect('{');
    if (++this.#depth > MAX_PIPELINE_DEPTH) {
      const message = `blocks nested deeper than ${MAX_PIPELINE_DEPTH} at ${offset}`;
      throw new PolicyError(message, { layer: 'pipeline', got: this.#depth, limit: MAX_PIPELINE_DEPTH, offset });
    }
    const steps = this.#script('}');
    this.#take();
    this.#depth--;
    return { kind: 'sequence', steps };
  }

  #path(what: string, orStream = false): string {
    const token = this.#next;
    if (/^(|[{};]|if|else)$/.test(token.text)) throw expected(what, token);
    this.#take();
    try {
      const path = normaliseName(token.text);
      if (path.startsWith('/') || orStream) return path;
    } catch (thrown) {
      if (!(thrown instanceof FileNameError)) throw thrown;
      throw new PolicyError(`${thrown.message}, in the path at ${token.offset}`, {
        layer: 'pipeline',
        offset: token.offset,
        cause: thrown,
      });
    }
    throw expected('a program, not a stream,', token);
  }

  #comes(text: string): boolean {
    return this.#next.text === text;
  }

  #expect(sign: string, what = sign): Token {
    if (!this.#comes(sign)) throw expected(what, this.#next);
    return this.#take();
  }

  #take(): Token {
    const token = this.#next;
    this.#next = this.#read();
    return token;
  }

  #read(): Token {
    const token = this.#tokens.next();
    return token.done === true ? { text: '', offset: this.#end } : { text: token.value[0], offset: token.value.index };
  }
}

const EMPTY: Pipeline = Object.freeze({ kind: 'sequence', steps: Object.freeze([]) });

function expected(what: string, { text, offset }: Token): PolicyError {
  const got = text === '' ? 'the end' : /^[{};]$/.test(text) ? text : 'a word';
  return new PolicyError(`${what} must stand at ${offset}, not ${got}`, { layer: 'pipeline', expected: what, got, offset });
}
