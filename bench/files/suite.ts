/** Large files, end to end, by real processes; ours and the peers in turn. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedFile } from '../../lib/cli/demo/generated.js';
import type { Pki } from '../harness/pki.js';
import type { Measured } from '../harness/result.js';
import { interleaved } from '../harness/rounds.js';
import { sizeText } from '../harness/size.js';
import { temporaryFolder } from '../harness/temporary.js';
import { nameOf } from '../parts/support/transfer.js';
import { FIXTURES, type Fixture, type FixtureName } from './fixtures.js';
import type { FilesPlan, Group } from './plan.js';
import { lineOf, resultsOf } from './results.js';
import { type Direction, type Round, transfer } from './transfer.js';

/** Bytes that go in both directions before anything is measured. */
const WARM_UP_BYTES = 16 * 2 ** 20;

export async function runFiles(plan: FilesPlan, pki: Pki, say: (line: string) => void): Promise<Measured[]> {
  const results: Measured[] = [];
  for (const group of plan.groups) {
    const names = group.fixtures.filter((name) => wanted(plan.only, name).length > 0);
    if (names.length === 0) continue;
    say(`${sizeText(group.bytes)}, ${group.medium} to ${group.medium}, ${group.sessions} session${group.sessions === 1 ? '' : 's'}`);
    const measured = resultsOf(group, names, await runGroup(group, names, plan, pki), results);
    for (const result of measured) say(lineOf(result));
    results.push(...measured);
  }
  return results;
}

/** The directions of a fixture that the plan asks for. */
function wanted(only: RegExp, fixture: FixtureName): Direction[] {
  return (['upload', 'download'] as const).filter((direction) => only.test(`${fixture} ${direction}`));
}

/** Each fixture's rounds. The processes live as long as the group, so that none is measured cold. */
async function runGroup(group: Group, names: readonly FixtureName[], plan: FilesPlan, pki: Pki): Promise<Round[][]> {
  const folder = group.medium === 'disk' ? temporaryFolder() : undefined;
  const files = folder === undefined ? undefined : { source: join(folder, 'source'), target: join(folder, 'target') };
  if (files !== undefined) generate(files.source, group.bytes);
  const fixtures: Fixture[] = [];
  try {
    for (const name of names) {
      const fixture = await FIXTURES[name].open({ pki, folder: folder && mkdtempSync(join(folder, 'store-')) });
      fixtures.push(fixture);
      await warmUp(fixture, group, files?.source);
    }
    const directions = names.map((name) => wanted(plan.only, name));
    return await interleaved([...fixtures.entries()], plan.rounds, ([i, fixture]) =>
      round(fixture, group, directions[i] as Direction[], files),
    );
  } finally {
    await Promise.all(fixtures.map((fixture) => fixture.end()));
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

async function warmUp(fixture: Fixture, { sessions, bytes }: Group, source: string | undefined): Promise<void> {
  const some = Math.min(bytes, WARM_UP_BYTES);
  // From disk all of the file goes: then it is in the page cache for everybody.
  await transfer(fixture, 'upload', sessions, source === undefined ? { bytes: some } : { bytes, paths: [source] });
  if (source === undefined) await transfer(fixture, 'download', sessions, { bytes: some });
}

async function round(
  fixture: Fixture,
  { bytes, sessions }: Group,
  directions: readonly Direction[],
  files?: { source: string; target: string },
): Promise<Round> {
  const upload = await transfer(fixture, 'upload', sessions, { bytes, paths: files && [files.source] });
  const download = directions.includes('download')
    ? await transfer(fixture, 'download', sessions, { bytes, paths: files && [files.target] })
    : undefined;
  if (files !== undefined) {
    const sent = upload.moved[0]?.sha256;
    const kept = await fixture.store.ask<string>('sha256', nameOf(0));
    const came = download?.moved[0]?.sha256 ?? sent;
    if (sent === undefined || sent !== kept || sent !== came)
      throw new Error(`SHA-256 differs: sent ${sent}, kept ${kept}, came back ${came}`);
  }
  return { ...(directions.includes('upload') && { upload }), ...(download && { download }) };
}

function generate(path: string, bytes: number): void {
  for (const chunk of generatedFile(bytes)) writeFileSync(path, chunk, { flag: 'a' });
}
