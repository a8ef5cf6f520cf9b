/** Each broken Proxy Attestation Server is found by the cases meant for it. */
import t from 'tap';
// A minute or two: not a test of the fast set.
import '../support/long.js';
import { ATTESTATION_BREAKS } from './broken/attestations.js';
import { tryBreaks } from './broken/breaks.js';

tryBreaks(t, 'attestation', ATTESTATION_BREAKS);
