/** The charts of a run, as vega-lite has them. */
import type { TopLevelSpec } from 'vega-lite';
import type { Result } from '../harness/result.js';
import { sizeText } from '../harness/size.js';
import { groupedBy, subjectOf, taskOf } from './groups.js';

export interface Chart {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly title: string;
  readonly spec: TopLevelSpec;
}

const WIDTH = 560;
const HEIGHT = 280;
const PERCENTILES = { p50: 'p50', p99: 'p99', p999: 'p99.9' } as const;

export function chartsOf(results: readonly Result[]): Chart[] {
  const of = (suite: Result['suite']) => results.filter((result) => result.suite === suite);
  return [...filesBars(of('files')), ...filesCurves(of('files')), ...layerCurves(of('layers')), ...requestCurves(of('requests'))];
}

/** Bars by case, one chart a group of transfers that were made together. */
function filesBars(results: readonly Result[]): Chart[] {
  const groups = groupedBy(results, ({ bytes, medium, sessions }) => `${bytes}-${medium}-${sessions}`);
  return [...groups].map(([key, group]): Chart => {
    const { bytes, medium, sessions } = group[0] as Result;
    const title = `${sizeText(bytes)}, ${medium} to ${medium}, ${sessions === 1 ? 'one session' : `${sessions} sessions`}`;
    const values = group.map((result) => ({ way: subjectOf(result), direction: taskOf(result), rate: result.mbPerSecond, by: result.by }));
    return {
      name: `files-${key}`,
      title,
      spec: {
        title,
        width: WIDTH,
        data: { values },
        mark: 'bar',
        encoding: {
          y: { field: 'way', type: 'nominal', title: null, sort: null },
          yOffset: { field: 'direction', type: 'nominal', sort: null },
          x: { field: 'rate', type: 'quantitative', title: 'MB/s' },
          color: { field: 'direction', type: 'nominal', title: null, sort: null },
        },
      },
    };
  });
}

/** Throughput by size, where there are several sizes. */
function filesCurves(results: readonly Result[]): Chart[] {
  const alone = results.filter(({ medium, sessions }) => medium === 'memory' && sessions === 1);
  if (new Set(alone.map(({ bytes }) => bytes)).size < 2) return [];
  return [...groupedBy(alone, taskOf)].map(([direction, group]): Chart => {
    const values = group.map((result) => ({ way: subjectOf(result), mib: result.bytes / 2 ** 20, rate: result.mbPerSecond }));
    return {
      name: `files-${direction}-by-size`,
      title: `${direction} by size`,
      spec: {
        title: `${direction} by size, memory to memory, one session`,
        width: WIDTH,
        height: HEIGHT,
        data: { values },
        mark: { type: 'line', point: true },
        encoding: {
          x: { field: 'mib', type: 'quantitative', scale: { type: 'log', base: 2 }, title: 'MiB' },
          y: { field: 'rate', type: 'quantitative', title: 'MB/s' },
          color: { field: 'way', type: 'nominal', title: null, sort: null },
        },
      },
    };
  });
}

/** Throughput by size of message, one chart a layer, one field a case of it. */
function layerCurves(results: readonly Result[]): Chart[] {
  return [...groupedBy(results, subjectOf)].map(([layer, group]): Chart => {
    const values = group.map((result) => ({ task: taskOf(result), by: result.by, bytes: result.messageBytes, rate: result.mbPerSecond }));
    return {
      name: `layer-${layer}`,
      title: `${layer}: MB/s by size of message`,
      spec: {
        title: `${layer}: MB/s by size of message`,
        data: { values },
        columns: 2,
        facet: { field: 'task', type: 'nominal', title: null, sort: null },
        spec: {
          width: WIDTH / 2,
          height: HEIGHT / 2,
          mark: { type: 'line', point: true },
          encoding: {
            x: { field: 'bytes', type: 'quantitative', scale: { type: 'log', base: 4 }, title: 'bytes a message' },
            y: { field: 'rate', type: 'quantitative', scale: { type: 'log' }, title: 'MB/s' },
            color: { field: 'by', type: 'nominal', title: null, sort: null },
          },
        },
      },
    };
  });
}

/** Latency and rate by sessions. */
function requestCurves(results: readonly Result[]): Chart[] {
  if (results.length === 0) return [];
  const latencies = results.flatMap(({ name, sessions, latencyMs }) =>
    Object.entries(PERCENTILES).map(([key, label]) => ({ name, sessions, share: label, ms: latencyMs?.[key as keyof typeof PERCENTILES] })),
  );
  const x = { field: 'sessions', type: 'quantitative', scale: { type: 'log', base: 2 }, title: 'sessions' } as const;
  return [
    {
      name: 'requests-latency',
      title: 'latency by sessions',
      spec: {
        data: { values: latencies },
        columns: 3,
        facet: { field: 'name', type: 'nominal', title: null, sort: null },
        spec: {
          width: WIDTH / 3,
          height: HEIGHT / 2,
          mark: { type: 'line', point: true },
          encoding: {
            x,
            y: { field: 'ms', type: 'quantitative', scale: { type: 'log' }, title: 'ms' },
            color: { field: 'share', type: 'nominal', title: null, sort: null },
          },
        },
      },
    },
    {
      name: 'requests-rate',
      title: 'requests a second by sessions',
      spec: {
        width: WIDTH,
        height: HEIGHT,
        data: { values: results.map(({ name, sessions, requestsPerSecond }) => ({ name, sessions, rate: requestsPerSecond })) },
        mark: { type: 'line', point: true },
        encoding: {
          x,
          y: { field: 'rate', type: 'quantitative', scale: { type: 'log' }, title: 'requests a second' },
          color: { field: 'name', type: 'nominal', title: null, sort: null },
        },
      },
    },
  ];
}
