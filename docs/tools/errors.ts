/** Writes docs/errors.md: a row for each class of error, from its docstring. */
import { join } from 'node:path';
import ts from 'typescript';
import { ERROR_CLASSES } from '../../lib/core/errors.js';
import { ROOT, sourceProgram } from './exports.js';
import { REMEDIES } from './remedies.js';

export const ERRORS = join(ROOT, 'docs', 'errors.md');
const SOURCE = join(ROOT, 'lib', 'core', 'errors.ts');

/** The docstrings of the classes, by their names. */
function docstrings(): Map<string, string> {
  const program = sourceProgram([SOURCE]);
  const checker = program.getTypeChecker();
  const classes = program.getSourceFile(SOURCE)?.statements.filter((node) => ts.isClassDeclaration(node)) ?? [];
  return new Map(
    classes.map(({ name }) => {
      const comment = name === undefined ? [] : checker.getSymbolAtLocation(name)?.getDocumentationComment(checker);
      return [name?.text ?? '', ts.displayPartsToString(comment).replace(/\s+/g, ' ').trim()];
    }),
  );
}

const INTRO = `<!-- Made by \`npm run docs:errors\` from lib/core/errors.ts. Do not edit. -->

# Errors

Every fault is an instance of \`VeracruzError\` with a \`code\` that does not change. Match on the code, never on the message. Besides the code an error has these fields, where they mean something:

| field | is |
| --- | --- |
| \`layer\` | the layer, or the part of a role, that noticed the fault |
| \`session\` | the session that the fault ended |
| \`expected\`, \`got\` | what should have come, and what came |
| \`limit\` | the limit that was passed, in the unit that the message names |
| \`offset\` | bytes from the start of the message or unit to the first bad byte |
| \`cause\` | the error of Node, OpenSSL or the system below it |

A message has figures in it, never bytes of files or keys. On the command line the code stands at the end of the line, in brackets.

"Where" is what \`layer\` may be.

| code | class | where | meaning | what to do |
| --- | --- | --- | --- | --- |
`;

export function errorsPage(): string {
  const says = docstrings();
  const codes = ERROR_CLASSES.map((ErrorClass) => ({ code: new ErrorClass('').code, name: ErrorClass.name }));
  const rows = codes.map(({ code, name }) => {
    const told = REMEDIES[code];
    const meaning = says.get(name);
    if (told === undefined || !meaning)
      throw new Error(`${code} has no ${told === undefined ? 'entry in docs/tools/remedies.ts' : 'docstring'}`);
    return `| \`${code}\` | \`${name}\` | ${told.where} | ${meaning} | ${told.remedy} |\n`;
  });
  const left = Object.keys(REMEDIES).filter((code) => !codes.some((one) => one.code === code));
  if (left.length > 0) throw new Error(`docs/tools/remedies.ts names codes that no error has: ${left.join(', ')}`);
  return INTRO + rows.join('');
}
