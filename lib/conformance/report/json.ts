/** A report for programs: one JSON document. */
import type { Report } from '../run.js';

/** All of the report: `target`, `dialect`, `address`, `counts`, and `results` with a case each. */
export function jsonOf(report: Report): string {
  return JSON.stringify(report, undefined, 2);
}
