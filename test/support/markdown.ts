/** Markdown as the tests of the documents read it: fenced blocks, tables, headings and links. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { PROJECT_ROOT } from './golden.js';

/** Folders that hold nothing of ours. */
const FOREIGN = new Set(['node_modules', 'dist', '.git', '.tap', 'coverage']);
/** Made from the code, and compared with it elsewhere. */
const MADE = /^docs\/(?:reference|api)\//;
const FENCE = /^```(\S*)(?: (.*))?\n([\s\S]*?)^```$/gm;

export interface Block {
  /** The first word behind the fence. */
  readonly language: string;
  /** The rest of that line. */
  readonly info: string;
  readonly text: string;
}

export interface Section {
  /** The heading, without its `#`. */
  readonly title: string;
  /** Number of `#`. */
  readonly level: number;
  /** What stands below it, subsections included. */
  readonly text: string;
}

/** The files of the repository whose names end with one of `endings`, by their paths from its root. */
export function projectFiles(endings: readonly string[], folder = PROJECT_ROOT): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return FOREIGN.has(entry.name) ? [] : projectFiles(endings, path);
      return endings.some((ending) => entry.name.endsWith(ending)) ? [relative(PROJECT_ROOT, path)] : [];
    })
    .sort();
}

/** The documents that are written by hand: what they say is checked in them. */
export function writtenDocuments(): string[] {
  return projectFiles(['.md']).filter((path) => !MADE.test(path));
}

/** The text of a file of the repository. */
export function projectText(path: string): string {
  return readFileSync(join(PROJECT_ROOT, path), 'utf8');
}

export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(FENCE)].map(([, language = '', info = '', text = '']) => ({ language, info, text }));
}

/** The text without its fenced blocks, in which a `#` or a bracket means nothing. */
export function proseOf(markdown: string): string {
  return markdown.replace(FENCE, '');
}

export function sectionsOf(markdown: string): Section[] {
  const prose = proseOf(markdown);
  const heads = [...prose.matchAll(/^(#{1,6}) (.+)$/gm)].map(([line, marks = '', title = ''], i, all) => {
    const match = all[i] as RegExpMatchArray & { index: number };
    return { title: title.trim(), level: marks.length, start: match.index + line.length, at: match.index };
  });
  return heads.map(({ title, level, start }, i) => {
    const next = heads.slice(i + 1).find((head) => head.level <= level);
    return { title, level, text: prose.slice(start, next?.at ?? prose.length) };
  });
}

/** The rows of all tables whose header has exactly these columns; cells without the blanks around them. */
export function tableRows(markdown: string, columns: readonly string[]): string[][] {
  const header = columns.join('|');
  let inside = false;
  return proseOf(markdown)
    .split('\n')
    .flatMap((line) => {
      const cells = line.startsWith('|') ? cellsOf(line) : undefined;
      if (cells === undefined) inside = false;
      else if (cells.join('|') === header) inside = true;
      else if (inside && !/^[-:]+$/.test(cells[0] as string)) return [cells];
      return [];
    });
}

function cellsOf(line: string): string[] {
  return line
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

/**
 * The anchors that GitHub gives to headings, and those that stand in the text as `<a id="…">`. A title that stands twice gets
 * `-1` behind its second anchor.
 */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set([...proseOf(markdown).matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id as string));
  for (const { title } of sectionsOf(markdown)) {
    const plain = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/&\w+;/g, '');
    const anchor = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-');
    for (let i = 0; ; i++) {
      const one = i === 0 ? anchor : `${anchor}-${i}`;
      if (anchors.has(one)) continue;
      anchors.add(one);
      break;
    }
  }
  return anchors;
}

/** Where the links and images of a text lead, code left out. */
export function linksOf(markdown: string): string[] {
  const prose = proseOf(markdown).replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target as string);
}
