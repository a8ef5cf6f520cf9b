/**
 * A stack of your own: whole messages in TLS 1.3, straight over a TCP connection. Both ends run in this process.
 *
 *     node dist/examples/compose-a-stack.js
 */
import { connectSocket, lengthPrefix, listenSocket, parseAddress, stack, tls } from 'veracruz-streams';
import { makeCertificates } from './support/certificates.js';

const { authority, manager, client } = makeCertificates();

// A stack is one list, top to wire. The order is checked by the compiler: stack(tls(…), lengthPrefix()) is an error.
const serverStack = stack(lengthPrefix({ deliver: 'whole' }), tls({ role: 'server', ...manager, identities: [client.certificate] }));
const clientStack = stack(
  lengthPrefix({ deliver: 'whole', maxMessageBytes: 1024 * 1024 }),
  tls({ role: 'client', certificate: client.certificate, key: client.key, authority }),
);
console.log(clientStack.describe());

// One end: over each connection that comes, the server's stack. What is written above it is read above the other end.
const listener = await listenSocket(parseAddress('tcp://127.0.0.1:0'), (socket) => {
  const channel = serverStack.over(socket);
  channel.on('data', (message: Buffer) => channel.write(Buffer.from(message.toString().toUpperCase())));
  channel.on('end', () => channel.end());
  channel.on('error', (error) => console.error(`server: ${error.message}`));
});

// The other end.
const { address } = listener;
if (address.kind !== 'tcp') throw new Error('we asked for TCP');
const channel = clientStack.over(await connectSocket(address), { session: 'my first' });
for (const message of ['a message', 'is one chunk', 'whatever its size']) channel.write(Buffer.from(message));
channel.end();

for await (const message of channel) console.log(`answer: ${(message as Buffer).toString()}`);

for (const { layer, outbound } of channel.traffic()) console.log(`${layer}: ${outbound.bytesIn} bytes in, ${outbound.bytesOut} out`);
await listener.close();
