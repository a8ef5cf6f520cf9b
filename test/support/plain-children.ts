/**
 * Loaded into every test process (`node-arg` in package.json): the processes that a test starts run as a user's do.
 *
 * tap gives each child, by NODE_OPTIONS, a loader that takes down which modules it loads, for coverage, which we do not ask
 * for. To every process of a role that is a second more to start, two thirds of its time.
 */
import processOnSpawn from 'process-on-spawn';

const LOADER = /\s*"?--import=[^\s"]*@tapjs\/processinfo[^\s"]*"?/g;

processOnSpawn.addListener((child) => {
  const { NODE_OPTIONS: options, ...rest } = child.env;
  const left = (options ?? '').replace(LOADER, '').trim();
  child.env = left === '' ? rest : { ...rest, NODE_OPTIONS: left };
});
