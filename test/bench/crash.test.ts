/** The crash command: what it judges, and that it runs. */
import t from 'tap';
import { fileOf, listsOf, RECORD_BYTES, recordOf } from '../../bench/proof/crash/content.js';
import { judgeFile, judgeLog, judgeOutput } from '../../bench/proof/crash/judge.js';
import { runBench } from './run.js';

const killed = { next: 'unknown' } as const;
const refused = { next: 'refused', error: 'ERR_VC_TRANSPORT' } as const;
const log = (...records: number[]) => Buffer.concat(records.map((i) => recordOf(4, i)));

void t.test('a log', async (t) => {
  t.equal(judgeLog(4, { acknowledged: 3, ...killed }, log(0, 1, 2)), undefined);
  t.equal(judgeLog(4, { acknowledged: 3, ...killed }, log(0, 1, 2, 3)), undefined, 'one more may be there');
  t.equal(judgeLog(4, { acknowledged: 0, ...killed }, log()), undefined);
  t.match(judgeLog(4, { acknowledged: 3, ...killed }, log(0, 1)), /3 records were acknowledged, 2 are there/, 'one is lost');
  t.match(judgeLog(4, { acknowledged: 2, ...killed }, log(0, 1, 1)), /record 2 of 3 is another/, 'one is there twice');
  t.match(judgeLog(4, { acknowledged: 2, ...killed }, log(0, 1, 2, 3)), /4 records are there, 2 were acknowledged/);
  t.match(judgeLog(4, { acknowledged: 2, ...refused }, log(0, 1, 2)), /ERR_VC_TRANSPORT said that it was not appended/);
  t.match(judgeLog(4, { acknowledged: 2, ...killed }, log(0, 1, 2).subarray(0, 2.5 * RECORD_BYTES)), /is another/, 'one by half');
  t.match(judgeLog(5, { acknowledged: 2, ...killed }, log(0, 1)), /record 0 of 2 is another/, 'those of another round');
});

void t.test('a file', async (t) => {
  t.equal(judgeFile(4, { acknowledged: 2, ...killed }, fileOf(4, 1)), undefined);
  t.equal(judgeFile(4, { acknowledged: 2, ...killed }, fileOf(4, 2)), undefined);
  t.equal(judgeFile(4, { acknowledged: 0, ...killed }, undefined), undefined);
  t.match(judgeFile(4, { acknowledged: 2, ...killed }, fileOf(4, 0)), /neither version 1 nor version 2/, 'an acknowledged write is lost');
  t.match(judgeFile(4, { acknowledged: 2, ...killed }, fileOf(4, 1).subarray(1)), /neither/);
  t.match(judgeFile(4, { acknowledged: 1, ...killed }, undefined), /no bytes/);
  t.match(judgeFile(4, { acknowledged: 2, ...refused }, fileOf(4, 2)), /said that it was not written/);
});

void t.test('an output', async (t) => {
  const commonOf = (i: number) => listsOf(i).common;
  t.equal(judgeOutput(commonOf, { acknowledged: 2, ...killed }, commonOf(1)), undefined);
  t.equal(judgeOutput(commonOf, { acknowledged: 2, ...killed }, commonOf(2)), undefined);
  t.equal(judgeOutput(commonOf, { acknowledged: 0, ...killed }, undefined), undefined);
  t.match(judgeOutput(commonOf, { acknowledged: 1, ...killed }, undefined), /is gone/);
  t.match(judgeOutput(commonOf, { acknowledged: 2, ...killed }, commonOf(0)), /that no run has made/);
  t.match(judgeOutput(commonOf, { acknowledged: 2, ...killed }, commonOf(1).subarray(1)), /that no run has made/);
});

void t.test('the command, a few rounds', async (t) => {
  const { code, stdout, stderr } = await runBench('proof/crash/main', ['append', '--rounds', '3', '--seed', '1']);
  t.equal(code, 0, stderr);
  t.match(stdout, /^kind .*\nappend +client +1 .*\nappend +server +1 .*\nappend +manager +1 .*\nno violation, seed 1, /);
  t.match(await runBench('proof/crash/main', ['dances']), { code: 1, stderr: /no such kind: dances; there are write, append/ });
});
