/**
 * Every stack publishes what it does on node:diagnostics_channel. This prints the bytes above and below each layer of a
 * connection when it closes; the code that uses the stacks knows nothing of it.
 *
 *     node dist/examples/diagnostics.js
 */
import { subscribe } from 'node:diagnostics_channel';
import { DIAGNOSTICS, lengthPrefix, memoryPipe, protobuf, type StackEvent, stack } from 'veracruz-streams';

subscribe(DIAGNOSTICS.open, (event) => {
  const { connection, session } = event as StackEvent;
  console.log(`connection ${connection} (${session}) is open`);
});
subscribe(DIAGNOSTICS.error, (event) => {
  const { connection, error } = event as StackEvent;
  console.log(`connection ${connection} failed: ${error?.code} in ${error?.layer}`);
});
subscribe(DIAGNOSTICS.close, (event) => {
  const { connection, traffic } = event as StackEvent;
  console.log(`connection ${connection} is closed`);
  for (const { layer, outbound, inbound } of traffic) {
    console.log(`  ${layer.padEnd(14)} ${String(outbound.bytesOut).padStart(7)} bytes out ${String(inbound.bytesIn).padStart(7)} bytes in`);
  }
});

// Something to look at: a client that sends 100,000 bytes, a manager that says yes, and then a byte too many.
const [left, right] = memoryPipe();
const client = stack(protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse' }), lengthPrefix());
const manager = stack(protobuf({ sends: 'RuntimeManagerResponse', receives: 'RuntimeManagerRequest' }), lengthPrefix());

const answering = manager.over(right, { session: 'manager' });
answering.on('data', (request) => {
  if (request.oneof !== 'write_file') return;
  // The body arrives while it is read; what nobody reads is not sent either.
  request.fields.data.resume().on('end', () => answering.write({ status: 'SUCCESS', oneof: null }));
});
answering.on('error', () => {});

const asking = client.over(left, { session: 'client' }).on('error', () => {});
asking.write({ oneof: 'write_file', fields: { file_name: '/input/file', data: Buffer.alloc(100_000) } });
asking.once('data', () => {
  // A prefix that announces a message of 2^63 bytes: refused before anything of it is kept.
  left.write(Buffer.from('8000000000000000', 'hex'));
});
