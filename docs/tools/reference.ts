/**
 * Writes docs/reference from the docstrings: one page a layer, a role, and a part of the rest; `pages.ts` says which.
 * `npm run docs:reference` runs it; `test/docs/reference.test.ts` fails when the pages are not what it would write.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Application, Converter, type ProjectReflection, ReflectionKind, type TypeDocOptions } from 'typedoc';
import type { PluginOptions } from 'typedoc-plugin-markdown';
import { type Exported, exportedNames, ROOT } from './exports.js';
import { readFolder } from './generated.js';
import { GROUPS, PAGES, pageOf, type ReferencePage } from './pages.js';

export const REFERENCE = join(ROOT, 'docs', 'reference');
const MADE = '<!-- Made by `npm run docs:reference` from the docstrings in lib/. Do not edit. -->\n\n';

const OPTIONS: Partial<TypeDocOptions> & Partial<PluginOptions> = {
  plugin: ['typedoc-plugin-markdown'],
  router: 'module',
  readme: 'none',
  skipErrorChecking: true,
  // Lines and commits would make each page differ after each change of the code.
  disableSources: true,
  disableGit: true,
  excludeExternals: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeProtected: true,
  sort: ['alphabetical'],
  groupOrder: ['Functions', 'Classes', 'Interfaces', 'Type Aliases', 'Variables'],
  logLevel: 'Warn',
  // Types that are not exported are named, and not described.
  validation: { notExported: false, invalidLink: true, rewrittenLink: true, notDocumented: true },
  requiredToBeDocumented: ['Function', 'Class', 'Interface', 'TypeAlias', 'Variable'],
  hidePageHeader: true,
  hideBreadcrumbs: true,
  hidePageTitle: true,
  // Its own count of headings that stand twice is not GitHub's.
  useHTMLAnchors: true,
  useCodeBlocks: true,
  expandObjects: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  propertyMembersFormat: 'table',
  tableColumnSettings: { hideModifiers: true, hideOverrides: true },
};

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** Writes the sources that typedoc reads: a module for each page, which exports what the page describes. */
function writeModules(folder: string): string[] {
  const exported = groupBy(exportedNames(), ({ file }) => pageOf(file));
  return PAGES.map((page) => {
    const path = join(folder, `${page.name}.ts`);
    writeFileSync(path, moduleOf(page, exported.get(page) ?? []));
    return path;
  });
}

function moduleOf(page: ReferencePage, exported: readonly Exported[]): string {
  if (exported.length === 0) throw new Error(`nothing is exported that belongs to the page ${page.name} of docs/tools/pages.ts`);
  const lines = exported.map(({ name, declared, file, isType }) => {
    const renamed = name === declared ? name : `${declared} as ${name}`;
    return `export ${isType ? 'type ' : ''}{ ${renamed} } from '${join(ROOT, 'lib', file).replace(/(\.d)?\.ts$/, '.js')}';\n`;
  });
  return `/**\n * ${importedFrom(exported)}\n * @module ${page.name}\n */\n${lines.join('')}`;
}

/** Says where the names of a page are imported from; which ones, where not all come from the same place. */
function importedFrom(exported: readonly Exported[]): string {
  const places = [...groupBy(exported, ({ from }) => from)];
  if (places.length === 1) return `Imported from \`${places[0]?.[0]}\`.`;
  return places.map(([from, names]) => `From \`${from}\`: ${names.map(({ name }) => `\`${name}\``).join(', ')}.`).join('\n *\n * ');
}

/** Leaves out what says nothing: methods that streams call, and in a class what its base has said. */
function prune(project: ProjectReflection): void {
  for (const parameter of project.getReflectionsByKind(ReflectionKind.Parameter)) {
    if (parameter.name === '__namedParameters') parameter.name = 'options';
  }
  for (const one of project.getReflectionsByKind(ReflectionKind.ClassMember)) {
    const inherited = one.isDeclaration() && one.inheritedFrom !== undefined && one.parent?.kindOf(ReflectionKind.Class) === true;
    if (one.name.startsWith('_') || inherited) project.removeReflection(one);
  }
}

/** What typedoc makes of the modules, by the names of the files. */
async function typedocPages(work: string): Promise<Map<string, string>> {
  const entryPoints = writeModules(work);
  const tsconfig = join(work, 'tsconfig.json');
  const compilerOptions = { rootDir: ROOT, noEmit: true, incremental: false };
  writeFileSync(tsconfig, JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), files: entryPoints, include: [], compilerOptions }));
  const out = join(work, 'out');
  const app = await Application.bootstrapWithPlugins({ ...OPTIONS, entryPoints, tsconfig, out });
  // Before the members are sorted into groups, and behind what finds out which are inherited.
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => prune(project), 100);
  const project = await app.convert();
  if (project === undefined) throw new Error('typedoc could not read the sources');
  app.validate(project);
  await app.generateOutputs(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('docstrings have faults; typedoc has printed them');
  return readFolder(out, '.md');
}

function indexPage(): string {
  const groups = GROUPS.map(({ title, pages }) => {
    const rows = pages.map((page) => `| [${page.title}](${page.name}.md) | ${page.about} |\n`);
    return `## ${title}\n\n| page | about |\n| --- | --- |\n${rows.join('')}`;
  });
  return `# Reference\n\nEvery exported name, from the docstrings in the code.\n\n${groups.join('\n')}`;
}

/** The pages of docs/reference as they should be, by the names of their files. */
export async function referencePages(): Promise<Map<string, string>> {
  const work = mkdtempSync(join(ROOT, 'dist', 'reference-'));
  try {
    const made = await typedocPages(work);
    const pages = PAGES.map(({ name, title }) => [`${name}.md`, `${MADE}# ${title}\n\n${made.get(`${name}.md`)?.trim()}\n`] as const);
    return new Map([['README.md', MADE + indexPage()], ...pages]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
