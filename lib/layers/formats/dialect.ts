/**
 * The version that the other end speaks: `2207` is the release of July 2022 on Linux and IceCap, `2207-nitro` the same release
 * on AWS Nitro, `head` the later development line (wire spec, first lines). The bytes on the wire do not tell them apart.
 */
export type Dialect = '2207' | '2207-nitro' | 'head';
/** Every dialect: the versions of Veracruz that are spoken. */
export const DIALECTS: readonly Dialect[] = Object.freeze(['2207', '2207-nitro', 'head']);
