/** Each broken Proxy Attestation Server is found by the cases meant for it. */
import t from 'tap';
// Its registry is a database.
import '../support/processes.js';
import { ATTESTATION_BREAKS } from './broken/attestations.js';
import { tryBreaks } from './broken/breaks.js';

tryBreaks(t, 'attestation', ATTESTATION_BREAKS);
