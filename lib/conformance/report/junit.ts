/** A report for build servers: JUnit's XML. */
import type { Report, Result } from '../run.js';
import { oneLine } from './table.js';

/** A suite with a case each. What is stricter or weaker is no failure; it stands in `system-out`. */
export function junitOf({ target, dialect, address, results, counts }: Report): string {
  const seconds = results.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
  const head = `<testsuite name="${escaped(`veracruz ${target} ${dialect} ${address}`)}" tests="${results.length}" failures="${counts.failed}" errors="0" skipped="${counts.skipped}" time="${seconds}">`;
  return ['<?xml version="1.0" encoding="UTF-8"?>', head, ...results.map((result) => caseOf(target, result)), '</testsuite>', ''].join(
    '\n',
  );
}

function caseOf(target: string, { name, section, verdict, expects, saw, milliseconds }: Result): string {
  const open = `  <testcase classname="${escaped(`${target}.${name.split('.')[0]}`)}" name="${escaped(name)}" time="${milliseconds / 1000}">`;
  const text = escaped(`§${section} ${expects}`);
  const said = escaped(oneLine(saw));
  if (verdict === 'failed') return `${open}<failure message="${said}">${text}</failure></testcase>`;
  if (verdict === 'skipped') return `${open}<skipped message="${said}"/></testcase>`;
  return `${open}<system-out>${verdict}: ${said === '' ? text : `${said} (${text})`}</system-out></testcase>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
