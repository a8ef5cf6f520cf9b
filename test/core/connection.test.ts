import t from 'tap';
import { Connection } from '../../lib/core/connection.js';

void t.test('ids count up, one a connection', async (t) => {
  const [first, second] = [new Connection(), new Connection('s')];
  t.equal(second.id, first.id + 1);
  t.equal(first.session, undefined);
  t.equal(second.session, 's');
});

void t.test('a shared value is made once for each key and connection', async (t) => {
  const [here, there] = [new Connection(), new Connection()];
  const [key, other] = [{}, {}];
  let made = 0;
  const make = () => ({ number: ++made });
  const value = here.share(key, make);
  t.equal(here.share(key, make), value);
  t.not(here.share(other, make), value, 'another key');
  t.not(there.share(key, make), value, 'another connection');
  t.equal(made, 3);
});

void t.test('undefined may be a shared value', async (t) => {
  const connection = new Connection();
  let made = 0;
  const make = () => void made++;
  connection.share(connection, make);
  connection.share(connection, make);
  t.equal(made, 1);
});

void t.test('if `make` throws, the next call makes the value', async (t) => {
  const connection = new Connection();
  const key = {};
  t.throws(() =>
    connection.share(key, () => {
      throw new Error('not now');
    }),
  );
  t.equal(
    connection.share(key, () => 'now'),
    'now',
  );
});
