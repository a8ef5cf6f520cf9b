import { escapedText } from '../text.js';
import type { Arrow, Sequence } from './sequence.js';

/** Pixels. */
const LANE = 360;
const LEFT = 170;
const ROW = 26;
const TOP = 84;
/** Letters that fit between two lanes. */
const LABEL_CHARS = 52;

const STYLE = `
  text { font: 12px ui-monospace, monospace; fill: #1f2328 }
  .title, .lane { font-weight: bold }
  .lane, .label { text-anchor: middle }
  .time { text-anchor: end; fill: #656d76 }
  .note { fill: #656d76 }
  .life { stroke: #d0d7de }
  .arrow { stroke: #0969da; stroke-width: 1.5; marker-end: url(#head) }`;

/** The pieces of a sequence as an SVG document: a vertical line for each who takes part, and the arrows between them. */
export function* sequenceSvg({ title, lanes, rows, remarks }: Sequence): Generator<string, void, undefined> {
  const width = LEFT + (lanes.length - 1) * LANE + LEFT;
  const bottom = TOP + rows.length * ROW;
  const height = bottom + remarks.length * ROW + 20;
  yield `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">\n`;
  yield `<title>${xml(title)}</title>\n<style>${STYLE}\n</style>\n`;
  yield '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#0969da"/></marker></defs>\n';
  yield `<rect width="${width}" height="${height}" fill="#fff"/>\n`;
  yield text('title', 16, 26, title);
  for (const [i, lane] of lanes.entries()) {
    yield text('lane', xOf(i), 58, clipped(lane));
    yield `<line class="life" x1="${xOf(i)}" y1="66" x2="${xOf(i)}" y2="${bottom}"/>\n`;
  }
  for (const [i, row] of rows.entries()) {
    const y = TOP + i * ROW + ROW / 2;
    yield text('time', 76, y + 4, row.ms.toFixed(3));
    yield row.kind === 'note' ? text('note', 88, y + 4, row.text) : arrow(row, y);
  }
  for (const [i, remark] of remarks.entries()) yield text('note', 16, bottom + (i + 1) * ROW, remark);
  yield '</svg>\n';
}

function xOf(lane: number): number {
  return LEFT + lane * LANE;
}

function arrow({ from, to, label }: Arrow, y: number): string {
  const line = `<line class="arrow" x1="${xOf(from)}" y1="${y + 6}" x2="${xOf(to)}" y2="${y + 6}"/>\n`;
  return `${text('label', (xOf(from) + xOf(to)) / 2, y, clipped(label))}${line}`;
}

function text(style: string, x: number, y: number, content: string): string {
  return `<text class="${style}" x="${x}" y="${y}">${xml(content)}</text>\n`;
}

function clipped(label: string): string {
  const letters = [...label];
  return letters.length <= LABEL_CHARS ? label : `${letters.slice(0, LABEL_CHARS - 1).join('')}…`;
}

/** A text of the trace in XML. What XML cannot hold, control characters above all, is escaped as JSON has it. */
function xml(content: string): string {
  return escapedText(content).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
