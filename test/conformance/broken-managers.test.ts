/** Each broken manager is found by the cases meant for it. */
import t from 'tap';
// Minutes on a busy machine: not a test of the fast set.
import '../support/processes.js';
import { tryBreaks } from './broken/breaks.js';
import { MANAGER_BREAKS } from './broken/managers.js';
import { MESSAGE_BREAKS } from './broken/messages.js';

tryBreaks(t, 'manager', [...MANAGER_BREAKS, ...MESSAGE_BREAKS]);
