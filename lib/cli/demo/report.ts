import type { LayerTraffic } from '../../pipeline/diagnostics.js';
import type { Counters, Leg } from './client-process.js';

/** The bytes below a layer, and its overhead as a share of the bytes above it. */
export interface LayerBytes {
  readonly layer: string;
  readonly upload: number;
  readonly uploadOverhead: number;
  readonly download: number;
  readonly downloadOverhead: number;
}

/** The manager that was attested, and its policy. Hashes are 64 hex digits. */
export interface AttestedReport {
  readonly deviceId: number;
  readonly runtimeHash: string;
  readonly policyHash: string;
}

/** One run of one program. */
export interface ComputationReport {
  readonly program: string;
  readonly exitCode: number;
  /** Number of entries in the two inputs and in the result. */
  readonly entries: { readonly alice: number; readonly bob: number; readonly common: number };
  /** True when the exit code is 0 and both clients read the result that the demo computed itself. */
  readonly match: boolean;
  /** Milliseconds from the client's request to the answer. */
  readonly milliseconds: number;
}

/** The report of `npm run demo`. */
export interface DemoReport {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** True when the bytes that came back equal those that were sent. */
  readonly match: boolean;
  readonly upload: { readonly seconds: number; readonly mbPerSecond: number };
  readonly download: { readonly seconds: number; readonly mbPerSecond: number };
  /** Rows from the file down to the TCP connection, at the client. Overheads are shares of the row above. */
  readonly layers: readonly LayerBytes[];
  /** Number of POSTs for the file, in both directions. */
  readonly posts: number;
  /** The attested manager, and the hashes that the clients checked. */
  readonly attested: AttestedReport;
  readonly computation: ComputationReport;
  /** Peak resident memory of each process, in bytes. */
  readonly peakMemory: Readonly<Record<string, number | undefined>>;
  /** Processor seconds of each process, user and system, including its start. */
  readonly cpuSeconds: Readonly<Record<string, number | undefined>>;
}

/** Whether the bytes that came back equal those that were sent. */
export function bytesMatch(upload: Pick<Leg, 'sha256'>, download: Pick<Leg, 'sha256'>): boolean {
  return upload.sha256 === download.sha256;
}

/** Exit code of the demo: 0 only if the bytes match and the result is right. */
export function exitCodeOf(report: { readonly match: boolean; readonly computation: Pick<ComputationReport, 'match'> }): 0 | 1 {
  return report.match && report.computation.match ? 0 : 1;
}

/** The rows of the report for both directions. The counters in `before` are subtracted. */
export function bytesByLayer(bytes: number, before: Counters, upload: Counters, download: Counters): LayerBytes[] {
  const up = [
    bytes,
    ...upload.traffic.map((layer, i) => layer.outbound.bytesOut - (before.traffic[i] as LayerTraffic).outbound.bytesOut),
    upload.wire.bytesOut - before.wire.bytesOut,
  ];
  const down = [
    bytes,
    ...download.traffic.map((layer, i) => layer.inbound.bytesIn - (upload.traffic[i] as LayerTraffic).inbound.bytesIn),
    download.wire.bytesIn - upload.wire.bytesIn,
  ];
  const names = ['file', ...upload.traffic.map(({ layer }) => layer), 'HTTP over TCP'];
  const share = (all: readonly number[], i: number) => (i === 0 || all[i - 1] === 0 ? 0 : (all[i] as number) / (all[i - 1] as number) - 1);
  return names.map((layer, i) => ({
    layer,
    upload: up[i] as number,
    uploadOverhead: share(up, i),
    download: down[i] as number,
    downloadOverhead: share(down, i),
  }));
}

/** The report as text. */
export function formatReport(report: DemoReport): string {
  const percent = (value: number) => `${value < 0 ? '' : '+'}${(value * 100).toFixed(3)} %`;
  const rows = report.layers.map((row, i) => [
    row.layer,
    String(row.upload),
    i === 0 ? '' : percent(row.uploadOverhead),
    String(row.download),
    i === 0 ? '' : percent(row.downloadOverhead),
  ]);
  const { program, exitCode, milliseconds, entries, match: right } = report.computation;
  const mb = (bytes: number | undefined) => (bytes === undefined ? 'not known' : `${(bytes / 1_000_000).toFixed(0)} MB`);
  return [
    `attested: device ${report.attested.deviceId}, runtime hash ${report.attested.runtimeHash}`,
    `policy:   SHA-256 ${report.attested.policyHash}`,
    `computed: ${program}, exit code ${exitCode} after ${milliseconds} ms: ${entries.common} in common of ${entries.alice} and ${entries.bob}`,
    '',
    `${report.file}: ${report.bytes} bytes, SHA-256 ${report.sha256}`,
    '',
    ...table([['layer', 'bytes up', 'overhead', 'bytes down', 'overhead'], ...rows]),
    '',
    `up    ${report.upload.mbPerSecond.toFixed(1)} MB/s (${report.upload.seconds.toFixed(2)} s), ${report.posts} POSTs in both directions`,
    `down  ${report.download.mbPerSecond.toFixed(1)} MB/s (${report.download.seconds.toFixed(2)} s)`,
    `peak memory: ${Object.entries(report.peakMemory)
      .map(([name, bytes]) => `${name} ${mb(bytes)}`)
      .join(', ')}`,
    `processor:   ${Object.entries(report.cpuSeconds)
      .map(([name, seconds]) => `${name} ${seconds === undefined ? 'not known' : `${seconds.toFixed(1)} s`}`)
      .join(', ')}`,
    right ? 'The result is right.' : 'THE RESULT IS WRONG.',
    report.match ? 'The bytes match.' : 'THE BYTES DO NOT MATCH.',
  ].join('\n');
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] as readonly string[]).map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
      .join('  ')
      .trimEnd(),
  );
}
