/** Each broken client is found by the cases meant for it. */
import t from 'tap';
// A minute or two: not a test of the fast set.
import '../support/long.js';
import { tryBreaks } from './broken/breaks.js';
import { CLIENT_BREAKS } from './broken/clients.js';
import { HEARER_BREAKS } from './broken/hearers.js';

tryBreaks(t, 'client', [...CLIENT_BREAKS, ...HEARER_BREAKS]);
