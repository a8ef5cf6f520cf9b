/**
 * The API report: what each subpath of the package exports, as text in docs/api/, so that a change of the public surface shows
 * as a change of a file.
 *
 *     node dist/test/support/api-report.js          writes the reports
 *     node dist/test/support/api-report.js --check  exits 1 when one is not up to date
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel, type ExtractorMessage } from '@microsoft/api-extractor';
import { PROJECT_ROOT } from './golden.js';

const FOLDER = join(PROJECT_ROOT, 'docs', 'api');
const MANIFEST = join(PROJECT_ROOT, 'package.json');

/** The reports by their names, each with the declarations that it is of. */
function entries(): Map<string, string> {
  const { exports } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as { exports: Record<string, string> };
  const modules = Object.entries(exports).filter(([, file]) => file.endsWith('.js'));
  return new Map(
    modules.map(([subpath, file]) => [
      subpath === '.' ? 'index' : subpath.slice(2).replaceAll('/', '-'),
      join(PROJECT_ROOT, file.replace(/\.js$/, '.d.ts')),
    ]),
  );
}

function configOf(name: string, declarations: string): ExtractorConfig {
  const silent = { default: { logLevel: ExtractorLogLevel.None } };
  return ExtractorConfig.prepare({
    packageJsonFullPath: MANIFEST,
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: PROJECT_ROOT,
      mainEntryPointFilePath: declarations,
      newlineKind: 'lf',
      // Settings of its own: those of the project hold for sources.
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            module: 'NodeNext',
            target: 'ES2022',
            lib: ['ES2023', 'ESNext.Disposable'],
            types: ['node'],
            skipLibCheck: true,
          },
          include: ['dist/lib/index.d.ts'],
        },
        skipLibCheck: true,
      },
      apiReport: {
        enabled: true,
        reportFileName: name,
        reportFolder: FOLDER,
        reportTempFolder: join(PROJECT_ROOT, 'dist', 'api'),
        includeForgottenExports: false,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      // Errors of the compiler are the build's matter. A name that a signature needs may be exported by another subpath.
      messages: { compilerMessageReporting: silent, extractorMessageReporting: silent, tsdocMessageReporting: silent },
    },
  });
}

/** Writes the reports, or compares them. Returns the names of those that were not up to date. */
function staleOf(reports: ReadonlyMap<string, string>, check: boolean): string[] {
  const configs = [...reports].map(([name, declarations]) => [name, configOf(name, declarations)] as const);
  const [[, first]] = configs as [readonly [string, ExtractorConfig]];
  // One program for all of them: each of its own would cost a second.
  const compilerState = CompilerState.create(first, { additionalEntryPoints: [...reports.values()] });
  const options = { compilerState, localBuild: !check, printApiReportDiff: check };
  return configs
    .filter(([, config]) => Extractor.invoke(config, { ...options, messageCallback: quiet }).apiReportChanged)
    .map(([name]) => name);
}

/** Leaves what is an error or a difference to be printed. */
function quiet(message: ExtractorMessage): void {
  if (message.logLevel === ExtractorLogLevel.Info || message.logLevel === ExtractorLogLevel.Verbose) message.handled = true;
}

const check = process.argv.includes('--check');
const reports = entries();
mkdirSync(FOLDER, { recursive: true });
const stale = staleOf(reports, check);
const names = new Set([...reports.keys()].map((name) => `${name}.api.md`));
const left = readdirSync(FOLDER).filter((file) => file.endsWith('.api.md') && !names.has(file));
if (check && stale.length + left.length > 0) {
  console.error(`docs/api is not up to date: ${[...stale, ...left].join(', ')}. Run npm run api, and commit what it changes.`);
  process.exitCode = 1;
} else if (!check) {
  for (const file of left) rmSync(join(FOLDER, file));
}
