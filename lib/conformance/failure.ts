/** How a case says that it did not pass. */

/** The peer did not do what the case expects. */
export class CaseFailed extends Error {}

/** The case could not be tried. */
export class CaseSkipped extends Error {}
