/**
 * Loaded into every test process (`node-arg` in package.json): the processes that a test starts run as a user's do.
 *
 * tap gives each child, by NODE_OPTIONS, a loader that takes down which modules it loads, for coverage, which we do not ask
 * for. To every process of a role that is a second more to start, two thirds of its time; and the fence around a program
 * does not let it in.
 */
import processOnSpawn from 'process-on-spawn';

const LOADER = /\s*"?--import=[^\s"]*@tapjs\/processinfo[^\s"]*"?/g;

function plain({ NODE_OPTIONS: options = '', ...rest }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = options.replace(LOADER, '').trim();
  return own === '' ? rest : { ...rest, NODE_OPTIONS: own };
}

// It is inherited, and added to what a test gives its child.
const { NODE_OPTIONS: left } = plain(process.env);
if (left === undefined) delete process.env.NODE_OPTIONS;
else process.env.NODE_OPTIONS = left;
processOnSpawn.addListener((child) => {
  child.env = plain(child.env);
});
