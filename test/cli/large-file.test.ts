/** The main job at a size that no memory of ours holds: 2 GiB up and down through the processes of the demo. */
import { execFile } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import type { DemoReport } from '../../lib/cli/demo/report.js';
import { PROJECT_ROOT } from '../support/golden.js';
import '../support/processes.js';

const MIB = 2 ** 20;
/** Well above what is reached (the goal is 200 MiB), far below the file: a process that kept the file would pass it. */
const MAX_PEAK_BYTES = 400 * MIB;

const { bavail, bsize } = statfsSync(tmpdir());
const skip = bavail * bsize < 6 * 1024 * MIB && 'less than 6 GiB are free for temporary files';

void t.test('2 GiB', { skip }, async (t) => {
  const main = join(PROJECT_ROOT, 'dist/lib/cli/main.js');
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'demo', '--size', '2G', '--json']);
  const report = JSON.parse(stdout) as DemoReport;
  t.equal(report.bytes, 2048 * MIB);
  t.ok(report.match, 'the bytes that came back are those that went');
  for (const [name, peak] of Object.entries(report.peakMemory)) {
    // The attestation server's is that of its database; no byte of the file comes near it.
    if (peak === undefined || name === 'attestation') continue;
    t.comment(`${name}: peak ${(peak / MIB).toFixed(0)} MiB`);
    t.ok(peak < MAX_PEAK_BYTES, `the ${name} process does not hold the file`);
  }
  t.comment(`up ${report.upload.mbPerSecond.toFixed(0)} MB/s, down ${report.download.mbPerSecond.toFixed(0)} MB/s`);
});
