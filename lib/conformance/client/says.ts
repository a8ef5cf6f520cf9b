/** What a client says: HTTP, TLS, messages (wire spec §A to §C). */
import { X509Certificate } from 'node:crypto';
import type { Dialect } from '../../layers/formats/dialect.js';
import { type Case, expect, passed } from '../case.js';
import { policyOf } from '../material.js';
import { EXTENSIONS, readHello, SUITES, TLS_1_3 } from '../peers/hello.js';
import { suiteOf } from '../peers/tls.js';
import { armsOf, type ClientContext, type Run, whyOf } from './context.js';

type ClientCase = Case<ClientContext>;

const OF_2207: readonly Dialect[] = ['2207', '2207-nitro'];
/** What an original Server takes. */
const ORIGINAL_BODY_BYTES = 262_144;
/** Bytes of a prefix, which an original manager must see at once. */
const PREFIX_BYTES = 8;
/** Milliseconds in which a client that does not wait would have sent a second request. */
const WAITS_MS = 500;

/** A case that looks at a run in which all is well. */
const well = (
  more: Pick<ClientCase, 'name' | 'section' | 'level' | 'expects' | 'dialects'>,
  look: (run: Run, context: ClientContext) => string | undefined,
): ClientCase => ({
  ...more,
  run: async (context, scope) => {
    const run = await context.run(scope);
    expect(run.took.length > 0, `no request came: ${whyOf(run)}`);
    const saw = look(run, context);
    return saw === undefined ? undefined : passed(saw);
  },
});

const HTTP: readonly ClientCase[] = [
  well(
    {
      name: 'http.posts',
      section: 'C.3',
      level: 'wire',
      dialects: OF_2207,
      expects: 'POST /runtime_manager with a content-length; the body is an id, a blank, and canonical base64.',
    },
    ({ faults, posts }) => {
      expect(faults.length === 0, faults.join('; '));
      return `${posts.length} POSTs`;
    },
  ),
  well(
    {
      name: 'http.ids',
      section: 'C.2',
      level: 'wire',
      dialects: OF_2207,
      expects: 'The first POST has the id 0, later ones that of the answer.',
    },
    ({ posts }) => {
      const [first, ...others] = posts.map(({ id }) => id);
      expect(first === '0', `the first id is ${first}`);
      expect(others.length > 0, 'one POST only');
      expect(new Set(others).size === 1 && others[0] !== '0', `the later ids are ${[...new Set(others)].join(', ')}`);
      return undefined;
    },
  ),
  well(
    {
      name: 'http.body-limit',
      section: 'C.6',
      level: 'wire',
      dialects: OF_2207,
      expects: 'To a Server that announces nothing, a body has at most 262144 bytes. (The client should send a file that is longer.)',
    },
    ({ posts }) => {
      const longest = Math.max(...posts.map(({ bytes }) => bytes));
      expect(longest <= ORIGINAL_BODY_BYTES, `a body of ${longest} bytes`);
      return `${longest} bytes at most`;
    },
  ),
  well(
    {
      name: 'http.one-by-one',
      section: 'C.7',
      level: 'wire',
      dialects: OF_2207,
      expects: 'To a Server that announces nothing, one POST comes after the answer to the last.',
    },
    ({ posts }) => {
      expect(
        posts.every(({ open }) => open === 0),
        'a POST came while another was unanswered',
      );
      return undefined;
    },
  ),
];

const TLS: readonly ClientCase[] = [
  well({ name: 'hello.version', section: 'B.1', level: 'trust', expects: 'The ClientHello offers TLS 1.3 and nothing else.' }, (run) => {
    const { versions } = helloOf(run);
    expect(versions.length === 1 && versions[0] === TLS_1_3, `versions offered: ${versions.map((one) => one.toString(16)).join(', ')}`);
    return undefined;
  }),
  well(
    { name: 'hello.suite', section: 'B.1', level: 'trust', expects: 'The ClientHello offers the suite of the policy alone.' },
    (run, context) => {
      const suite = suiteOf(context.target.material);
      const { suites } = helloOf(run);
      expect(suites.length === 1 && suites[0] === SUITES[suite], `suites offered: ${suites.map((one) => one.toString(16)).join(', ')}`);
      return undefined;
    },
  ),
  well({ name: 'hello.no-name', section: 'B.1', level: 'wire', expects: 'The ClientHello has no server name.' }, (run) => {
    expect(!helloOf(run).extensions.includes(EXTENSIONS.serverName), 'a server name is sent');
    return undefined;
  }),
  well(
    { name: 'hello.no-early-data', section: 'B.1', level: 'trust', expects: 'No early data, and no ticket of another session.' },
    (run) => {
      const { extensions } = helloOf(run);
      expect(!extensions.includes(EXTENSIONS.earlyData), 'early data is offered');
      expect(!extensions.includes(EXTENSIONS.preSharedKey), 'a session is resumed');
      return undefined;
    },
  ),
  well(
    { name: 'identity.principal', section: 'B.2', level: 'wire', expects: 'The client shows one certificate, which is one of the policy.' },
    (run, context) => {
      expect(run.certificates.length === run.secured, `${run.certificates.length} certificates in ${run.secured} handshakes`);
      const known = policyOf(context.target.material).identities.map(({ certificate }) => new X509Certificate(certificate).raw);
      for (const one of run.certificates)
        expect(
          known.some((der) => der.equals(one)),
          'its certificate is none of the policy',
        );
      return undefined;
    },
  ),
];

function helloOf({ hellos }: Run) {
  return readHello(hellos.find((bytes) => bytes.length > 0) ?? Buffer.alloc(0));
}

const MESSAGES: readonly ClientCase[] = [
  well(
    {
      name: 'message.exact-bytes',
      section: 'A.2',
      level: 'wire',
      expects: 'Each request is exact: its prefix, its fields in their order.',
    },
    (run) => {
      expect(run.faults.length === 0, run.faults.join('; '));
      return armsOf(run).join(', ');
    },
  ),
  well(
    {
      name: 'message.whole-prefix',
      section: 'A.8',
      level: 'wire',
      expects: 'The first TLS record of a request has its whole prefix, 8 bytes.',
    },
    ({ records }) => {
      expect((records[0] ?? 0) >= PREFIX_BYTES, `the first record has ${records[0]} bytes`);
      return undefined;
    },
  ),
  {
    name: 'message.waits',
    section: 'A.8',
    level: 'wire',
    expects: 'A second request is not sent before the answer to the first.',
    run: async (context, scope) => {
      await context.usual(scope);
      const { took } = await context.attempt(scope, { answer: () => null }, WAITS_MS);
      expect(took.length === 1, `${took.length} requests without an answer`);
      return undefined;
    },
  },
];

export const SAYS_CASES: readonly ClientCase[] = [...HTTP, ...TLS, ...MESSAGES];
