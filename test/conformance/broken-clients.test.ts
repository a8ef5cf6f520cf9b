/** Each broken client is found by the cases meant for it. */
import t from 'tap';
// Minutes on a busy machine: not a test of the fast set.
import '../support/processes.js';
import { tryBreaks } from './broken/breaks.js';
import { CLIENT_BREAKS } from './broken/clients.js';
import { HEARER_BREAKS } from './broken/hearers.js';

tryBreaks(t, 'client', [...CLIENT_BREAKS, ...HEARER_BREAKS]);
