import { Duplex } from 'node:stream';
import { connect } from 'node:tls';

/** The first record of a TLS client: a ClientHello as good as any. It may be sent as often as one likes. */
export function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const pipe = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(chunk);
        done();
      },
    });
    connect({ socket: pipe, minVersion: 'TLSv1.3', rejectUnauthorized: false }).on('error', () => {});
  });
}
