/** The tables of a run, in Markdown. */
import { OURS, type Result } from '../harness/result.js';
import { sizeText } from '../harness/size.js';
import { groupedBy, subjectOf } from './groups.js';

/** A table with its heading. */
export interface Section {
  readonly title: string;
  readonly table: string;
}

export function filesSections(results: readonly Result[]): Section[] {
  const groups = groupedBy(results, ({ bytes, medium, sessions }) => `${bytes} ${medium} ${sessions}`);
  return [...groups.values()].map((group) => {
    const { bytes, medium, sessions } = group[0] as Result;
    const others = ratioNames(group);
    return {
      title: `${sizeText(bytes)}, ${medium} to ${medium}, ${sessions === 1 ? 'one session' : `${sessions} sessions`}`,
      table: markdown(
        ['case', 'MB/s', '±', ...others.map((other) => `× ${other}`), 'peak MB', 'processor s'],
        group.map((result) => [
          bold(result, result.name),
          rate(result.mbPerSecond),
          percent(result.spread),
          ...others.map((other) => ratio(result, other)),
          byRole(result.peakRssMb, 0),
          byRole(result.cpuSeconds, 2),
        ]),
      ),
    };
  });
}

export function layersSections(results: readonly Result[]): Section[] {
  return [...groupedBy(results, subjectOf)].map(([layer, group]) => {
    const peers = ratioNames(group);
    const ours = group.filter(({ by }) => by === OURS);
    return {
      title: layer,
      table: markdown(
        ['case', 'message', 'MB/s', 'messages/s', '±', ...peers.map((peer) => `× ${peer}`)],
        ours.map((result) => [
          result.name,
          sizeText(result.messageBytes ?? 0),
          rate(result.mbPerSecond),
          rate(result.messagesPerSecond ?? 0),
          percent(result.spread),
          ...peers.map((peer) => ratio(result, peer)),
        ]),
      ),
    };
  });
}

export function requestsSections(results: readonly Result[]): Section[] {
  return [...groupedBy(results, ({ sessions }) => sessions)].map(([sessions, group]) => {
    const peers = ratioNames(group);
    return {
      title: sessions === 1 ? 'one session' : `${sessions} sessions`,
      table: markdown(
        ['case', 'requests/s', '±', 'p50 ms', 'p99 ms', 'p99.9 ms', ...peers.map((peer) => `× ${peer}`)],
        group.map((result) => [
          bold(result, result.name),
          rate(result.requestsPerSecond ?? 0),
          percent(result.spread),
          ...[result.latencyMs?.p50, result.latencyMs?.p99, result.latencyMs?.p999].map((ms) => (ms === undefined ? '' : ms.toFixed(2))),
          ...peers.map((peer) => ratio(result, peer)),
        ]),
      ),
    };
  });
}

/** With whom any of the results is compared; those that have a row of their own first, in the order of the rows. */
function ratioNames(results: readonly Result[]): string[] {
  const names = new Set(results.flatMap(({ ratioTo }) => Object.keys(ratioTo)));
  return [...new Set([...results.map(subjectOf), ...names])].filter((name) => names.has(name));
}

/** Ours stand out. */
function bold({ by }: Result, text: string): string {
  return by === OURS ? `**${text}**` : text;
}

function rate(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-GB') : String(Number(value.toPrecision(3)));
}

/** Half the distance of the quartiles: what stands behind a ±. */
function percent(spread: number): string {
  return `${((spread * 100) / 2).toFixed(0)} %`;
}

function ratio({ ratioTo }: Result, other: string): string {
  return ratioTo[other]?.toFixed(2) ?? '';
}

function byRole(figures: Readonly<Record<string, number>> | undefined, digits: number): string {
  return Object.entries(figures ?? {})
    .map(([role, value]) => `${role} ${value.toFixed(digits)}`)
    .join(', ');
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}
