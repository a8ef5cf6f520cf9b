/**
 * Who is at the other end: `2207` the release of July 2022 on Linux and IceCap, `2207-nitro` the same on AWS Nitro,
 * `head` the later development line (wire spec, first lines). Nothing on the wire tells them apart.
 */
export type Dialect = '2207' | '2207-nitro' | 'head';
export const DIALECTS: readonly Dialect[] = Object.freeze(['2207', '2207-nitro', 'head']);
