/** node-forge's own TLS (1.2, AES-128-CBC, all in JavaScript): for the record. */
import forge from 'node-forge';
import { makeIdentity } from 'veracruz-streams';

export interface ForgeTls {
  /** Sends from the client to the server, or back; all of it is there when this returns. Gives the bytes that came. */
  send(from: 'client' | 'server', chunks: readonly Buffer[]): number;
}

export function forgeTls(): ForgeTls {
  // It takes RSA keys only.
  const { certificate, key } = makeIdentity({ commonName: 'bench', algorithm: 'rsa' });
  let received = 0;
  const end = (server: boolean, peer: () => forge.tls.Connection) =>
    forge.tls.createConnection({
      server,
      caStore: forge.pki.createCaStore([certificate]),
      sessionCache: {},
      cipherSuites: [forge.tls.CipherSuites.TLS_RSA_WITH_AES_128_CBC_SHA as forge.tls.CipherSuite],
      verify: () => true,
      getCertificate: () => certificate,
      getPrivateKey: () => key,
      connected: () => {},
      tlsDataReady: (connection) => void peer().process(connection.tlsData.getBytes()),
      dataReady: (connection) => {
        received += connection.data.getBytes().length;
      },
      closed: () => {},
      error: (_connection, error) => {
        throw new Error(error.message);
      },
    });
  const server: forge.tls.Connection = end(true, () => client);
  const client: forge.tls.Connection = end(false, () => server);
  client.handshake();
  return {
    send: (from, chunks) => {
      received = 0;
      const connection = from === 'client' ? client : server;
      for (const chunk of chunks) connection.prepare(chunk.toString('binary'));
      return received;
    },
  };
}
