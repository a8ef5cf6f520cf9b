/** Each broken manager is found by the cases meant for it. */
import t from 'tap';
// A minute or two: not a test of the fast set.
import '../support/long.js';
import { tryBreaks } from './broken/breaks.js';
import { MANAGER_BREAKS } from './broken/managers.js';
import { MESSAGE_BREAKS } from './broken/messages.js';

tryBreaks(t, 'manager', [...MANAGER_BREAKS, ...MESSAGE_BREAKS]);
