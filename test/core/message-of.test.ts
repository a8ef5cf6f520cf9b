import t from 'tap';
import { messageOf } from '../../lib/core/message-of.js';

void t.test('the message, else the code, else the name', async (t) => {
  t.equal(messageOf(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })), 'read ECONNRESET');
  t.equal(messageOf(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })), 'ECONNREFUSED');
  t.equal(messageOf(new AggregateError([])), 'AggregateError');
});
