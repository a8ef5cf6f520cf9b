/** A Runtime Manager of parts of the kit, with the flaw that a test gives it. Without one it is as weak as the original. */
import { X509Certificate } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { Test } from 'tap';
import { type Asked, Enclave, type EnclaveManners, type Told } from '../../../lib/conformance/client/enclave.js';
import { newLog } from '../../../lib/conformance/client/place.js';
import { managerCredentials, type Target } from '../../../lib/conformance/index.js';
import { PlayedManager, type Request, type Response } from '../../../lib/conformance/peers/played-manager.js';
import { suiteOf } from '../../../lib/conformance/peers/tls.js';
import { policyHash } from '../../../lib/enclave/policy/index.js';
import { joined } from '../../../lib/layers/bincode/index.js';
import { material } from '../support.js';

export interface EnclaveFlaws {
  readonly tls?: SecureContextOptions;
  /** Lets everybody in. */
  readonly open?: boolean;
  /** The answer instead of the usual one. */
  readonly answer?: NonNullable<EnclaveManners['answer']>;
  readonly malformed?: NonNullable<EnclaveManners['malformed']>;
  readonly cut?: NonNullable<EnclaveManners['cut']>;
  /** Changes what is fed. */
  readonly feed?: (bytes: Buffer) => Buffer;
}

const tick = () => new Promise<void>((done) => setTimeout(done, 0));

/** Starts it, and gives the kit's view of it. */
export async function brokenEnclave(
  t: Pick<Test, 'teardown'>,
  flaws: EnclaveFlaws,
): Promise<Extract<Target, { readonly role: 'manager' }>> {
  const end = new AbortController();
  t.teardown(() => end.abort());
  const { authority, runtimeHash, policy } = material;
  const { certificate, key } = managerCredentials({ authority, runtimeHash });
  const identities = [material.alice, material.bob, material.carol].map((one) => new X509Certificate(one.certificate));
  const tls = {
    ...{ cert: certificate, key, ca: identities.map(String), minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: suiteOf(material) },
    ...flaws.tls,
  } as SecureContextOptions;
  const settings = { dialect: '2207', frame: 'tcp9' } as const;
  const manager = await PlayedManager.start('tcp-listen://127.0.0.1:0', settings, end.signal);
  const files = new Map<string, Buffer>();
  const sessions = new Map<number, Enclave>();
  const usual = (message: Asked, told: Told, index: number) =>
    (flaws.answer ?? ((_, one) => one))(message, ofFiles(files, message, told), index);
  const open = (): Response => {
    const manners: EnclaveManners = {
      tls,
      answer: usual,
      ...(flaws.cut && { cut: flaws.cut }),
      ...(flaws.malformed && { malformed: flaws.malformed }),
    };
    const enclave = new Enclave('2207', policyHash(policy), manners, newLog());
    enclave.tls.on('secure', () => {
      const raw = (enclave.tls.getPeerCertificate() as { raw?: Buffer }).raw;
      const known = raw !== undefined && identities.some((one) => one.raw.equals(raw));
      if (flaws.open !== true && !known) enclave.tls.destroy();
    });
    sessions.set(sessions.size + 1, enclave);
    return { kind: 'TlsSession', session: sessions.size };
  };
  const answer = async (request: Request): Promise<Response | undefined> => {
    if (request.kind === 'NewTlsSession') return open();
    if (!('session' in request)) return undefined;
    const enclave = sessions.get(request.session);
    if (request.kind === 'CloseTlsSession') sessions.delete(request.session);
    if (request.kind === 'CloseTlsSession') return { kind: 'Status', status: 'Success' };
    if (enclave === undefined) return { kind: 'Status', status: 'Fail' };
    if (request.kind === 'SendTlsData') {
      if (enclave.tls.destroyed) return { kind: 'Status', status: 'Fail' };
      const bytes = joined(request.data);
      enclave.feed(flaws.feed?.(bytes) ?? bytes);
      for (let turn = 0; turn < 4; turn++) await tick();
      return { kind: 'Status', status: 'Success' };
    }
    const { readableLength } = enclave.wire;
    if (enclave.tls.destroyed && readableLength === 0) return { kind: 'Status', status: 'Fail' };
    if (request.kind === 'GetTlsDataNeeded') return { kind: 'TlsDataNeeded', needed: readableLength > 0 };
    return readableLength === 0 ? { kind: 'Status', status: 'Fail' } : { kind: 'TlsData', data: enclave.fetch(), active: true };
  };
  manager.manners = { answer };
  const { port } = manager.address as { port: number };
  return { role: 'manager', address: `tcp://127.0.0.1:${port}`, ...settings, material, attested: false, singleLink: false };
}

/** Files that all sessions have, and no policy. */
function ofFiles(files: Map<string, Buffer>, message: Asked, told: Told): Told {
  if (message.oneof === 'write_file' || message.oneof === 'append_file') {
    const before = message.oneof === 'append_file' ? files.get(message.fields.file_name) : undefined;
    files.set(message.fields.file_name, Buffer.concat([before ?? Buffer.alloc(0), message.fields.data]));
  }
  if (message.oneof === 'request_result') return { status: 'FAILED_GENERIC', oneof: null };
  if (message.oneof !== 'read_file') return told;
  const data = files.get(message.fields.file_name);
  return data === undefined ? { status: 'FAILED_GENERIC', oneof: null } : { status: 'SUCCESS', oneof: 'result', fields: { data } };
}
