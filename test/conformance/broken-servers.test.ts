/** Each broken server is found by the cases meant for it. */
import t from 'tap';
// A minute or two: not a test of the fast set.
import '../support/long.js';
import { tryBreaks } from './broken/breaks.js';
import { RELAY_BREAKS } from './broken/relays.js';
import { SERVER_BREAKS } from './broken/servers.js';

tryBreaks(t, 'server', [...SERVER_BREAKS, ...RELAY_BREAKS]);
