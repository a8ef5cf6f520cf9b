/** Shapes of SVG pictures, and the colours that all pictures share. A text that is wider than its place is refused. */

export const INK = '#1b1f24';
export const GREY = '#59636e';
export const LINE = '#8b949e';
const FONT = "font-family='Helvetica, Arial, sans-serif'";
const MONO = "font-family='DejaVu Sans Mono, Menlo, Consolas, monospace'";
/** Widths of letters in parts of the font's size; wide fonts are reckoned with. */
const LETTER = { sans: 0.6, mono: 0.605, bold: 1.15 } as const;

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export interface TextStyle {
  readonly size?: number;
  readonly colour?: string;
  readonly bold?: boolean;
  readonly mono?: boolean;
  readonly anchor?: 'start' | 'middle' | 'end';
  /** Pixels that it may take. */
  readonly room?: number;
}

export function text(x: number, y: number, words: string, style: TextStyle = {}): string {
  const { size = 13, colour = INK, bold = false, mono = false, anchor = 'start', room = Number.POSITIVE_INFINITY } = style;
  const width = words.length * size * (mono ? LETTER.mono : LETTER.sans) * (bold ? LETTER.bold : 1);
  if (width > room) throw new Error(`${JSON.stringify(words)} takes ${Math.ceil(width)} pixels, and has ${room}`);
  const weight = bold ? " font-weight='bold'" : '';
  return `<text x='${x}' y='${y}' ${mono ? MONO : FONT} font-size='${size}'${weight} fill='${colour}' text-anchor='${anchor}'>${escaped(words)}</text>\n`;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export function box({ x, y, width, height }: Box, fill: string, stroke = LINE): string {
  return `<rect x='${x}' y='${y}' width='${width}' height='${height}' rx='5' fill='${fill}' stroke='${stroke}'/>\n`;
}

export interface LineStyle {
  readonly dashed?: boolean;
  /** Which ends have a head. */
  readonly heads?: 'none' | 'end' | 'both';
}

type Point = readonly [number, number];

export function line(from: Point, to: Point, { dashed = false, heads = 'none' }: LineStyle = {}): string {
  const dashes = dashed ? " stroke-dasharray='5 4'" : '';
  const stroke = `<line x1='${from[0]}' y1='${from[1]}' x2='${to[0]}' y2='${to[1]}' stroke='${GREY}' stroke-width='1.5'${dashes}/>\n`;
  return stroke + (heads === 'none' ? '' : head(from, to)) + (heads === 'both' ? head(to, from) : '');
}

/** The head of an arrow at `to`. Arrows are level or upright. */
function head([x0, y0]: Point, [x, y]: Point): string {
  const [dx, dy] = [Math.sign(x - x0) * 8, Math.sign(y - y0) * 8];
  const corners = [`${x},${y}`, `${x - dx + dy / 2},${y - dy + dx / 2}`, `${x - dx - dy / 2},${y - dy - dx / 2}`];
  return `<polygon points='${corners.join(' ')}' fill='${GREY}'/>\n`;
}

/** A picture on a ground of its own, so that it can be read where the page is dark, too. */
export function picture(width: number, height: number, title: string, shapes: string): string {
  return (
    `<svg xmlns='http://www.w3.org/2000/svg' width='${width}' height='${height}' viewBox='0 0 ${width} ${height}' role='img'>\n` +
    `<title>${escaped(title)}</title>\n` +
    `<rect width='${width}' height='${height}' rx='8' fill='#ffffff'/>\n${shapes}</svg>\n`
  );
}
