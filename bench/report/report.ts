/** A run as a page of Markdown. */
import type { Result, Run } from '../harness/result.js';
import type { Chart } from './charts.js';
import { filesSections, layersSections, requestsSections, type Section } from './tables.js';

/** Folder of the charts, beside the report. */
export const CHARTS = 'charts';

const FILES = `Real processes on loopback; the client's time from the first byte to the acknowledgement (upload) or the last byte
(download), on sessions that stand already. Memory: bytes made up at one end and counted at the other. Disk: a file read,
hashed (SHA-256), sent, hashed and written, out of a warm page cache. \`full\`: client → HTTP → Server → TCP → Runtime
Manager, three processes; \`unix\`: the same with a Unix socket as the link; \`direct\`: client → TLS over TCP, no Server;
the others are the peers, two processes each. \`× peer\`: by what factor ours is faster.`;

const LAYERS = `A process for each layer and size, after a warm-up; input in chunks of 64 KiB, or of a message where that is
smaller; output counted. Each case as a stream against streams, and without streams against peers that need none. The peers
have a message in memory as a whole: \`whole messages\` is ours that does the same. Layers that pass payload on without
touching it have a cost a message, not a byte: their MB/s say how long the messages are.`;

const REQUESTS = `64 bytes a request, one after the other in each session, after a warm-up; all sessions from one client
process. \`write\`, \`read\`: a file of 64 bytes; \`hash\`: the policy's hash; \`session\`: a session opened, with its first
request, and closed.`;

export function reportOf({ machine, flags, results }: Run, charts: readonly Chart[]): string {
  const { cpu, cores, memoryMib, node, platform, date } = machine;
  const command = flags === '' ? 'npm run bench' : `npm run bench -- ${flags}`;
  const of = (suite: Result['suite']) => results.filter((result) => result.suite === suite);
  const chartsOf = (prefix: string) => charts.filter(({ name }) => name.startsWith(prefix));
  return `${[
    '# Benchmarks',
    `${cpu}, ${cores} cores, ${(memoryMib / 1024).toFixed(0)} GiB; Node ${node.replace(/^v/, '')}, ${platform}; ${date.slice(0, 10)}; made by \`${command}\`.`,
    'Medians; ± is half the distance of the quartiles. Machines differ and are shared: the ratios of one run mean something, the rates little.',
    ...chapter('Files', FILES, filesSections(of('files')), chartsOf('files-')),
    ...chapter('Layers', LAYERS, layersSections(of('layers')), chartsOf('layer-')),
    ...chapter('Requests', REQUESTS, requestsSections(of('requests')), chartsOf('requests-')),
  ].join('\n\n')}\n`;
}

function chapter(title: string, text: string, sections: readonly Section[], charts: readonly Chart[]): string[] {
  if (sections.length === 0) return [];
  const pictures = charts.map((chart) => `![${chart.title}](${CHARTS}/${chart.name}.svg)`);
  return [`## ${title}`, text, ...sections.flatMap((section) => [`### ${section.title}`, section.table]), ...pictures];
}
