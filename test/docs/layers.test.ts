/** The lists of layers and their tables in the documents are those of the code. */
import t from 'tap';
import { blocksOf, projectText, tableRows } from '../support/markdown.js';
import * as api from '../support/public.js';

const page = projectText('docs/layers.md');
const { certificate, key } = api.makeIdentity({ commonName: 'documents' });
const { dialect, maxMessageBytes } = api.CLIENT_DEFAULTS;
const clientTls = { role: 'client', certificate, key, authority: certificate } as const;
const serverTls = { role: 'server', certificate, key, identities: [certificate] } as const;
const link = { dialect: api.SERVER_DEFAULTS.dialect, frame: api.SERVER_DEFAULTS.frame } as const;

void t.test('the lists of layers are what describe() prints', async (t) => {
  const lists: Record<string, string> = {
    client: api.clientStack({ dialect, maxMessageBytes, tls: clientTls, batchBytes: () => 0 }).describe(),
    direct: api.directClientStack({ dialect, maxMessageBytes, tls: clientTls }).describe(),
    'server-client': api.serverClientStack(1).describe(),
    'server-manager': api.serverManagerStack(link).describe(),
    'manager-server': api.managerServerStack(link).describe(),
    'manager-client': api
      .managerClientStack({
        dialect: api.RUNTIME_MANAGER_DEFAULTS.dialect,
        maxMessageBytes: api.RUNTIME_MANAGER_DEFAULTS.maxMessageBytes,
        tls: serverTls,
      })
      .describe(),
    'attestation-client': api.attestationClientStack().describe(),
    'attestation-server': api.attestationServerStack().describe(),
  };
  const printed = blocksOf(page)
    .filter(({ info }) => info.startsWith('layers '))
    .map(({ info, text }) => [info.replace('layers ', ''), text.trimEnd()] as const);
  t.same(printed.map(([name]) => name).sort(), Object.keys(lists).sort());
  for (const [name, text] of printed) t.equal(text, lists[name], name);
});

void t.test('the table of layers has every limit, and only codes that exist', async (t) => {
  const envelopes = { sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse' } as const;
  const layers: Record<string, api.AnyLayer> = {
    protobuf: api.protobuf(envelopes),
    lengthPrefix: api.lengthPrefix(),
    tls: api.tls(clientTls),
    records: api.records(),
    base64: api.base64(),
    session: api.session({ end: 'client' }),
    bincode: api.bincode({ dialect: '2207', sends: 'request', receives: 'response' }),
    frame: api.frame('tcp9'),
  };
  const rows = tableRows(page, ['layer', 'above it', 'below it', 'limits with their defaults', 'errors']);
  const named = new Map(
    rows.map(([name = '', , , limits = '', codes = '']) => [/(\w+)\(\)/.exec(name)?.[1] as string, [limits, codes] as const]),
  );
  t.same([...named.keys()], Object.keys(layers));
  const known = new Set(api.ERROR_CLASSES.map((ErrorClass) => new ErrorClass('').code));
  for (const [name, layer] of Object.entries(layers)) {
    const [limits, codes] = named.get(name) as readonly [string, string];
    for (const [limit, value] of Object.entries(layer.limits)) {
      if (typeof value === 'number') t.match(limits, new RegExp(`\\b${limit} ${value}\\b`), `${name}: ${limit}`);
    }
    const mentioned = [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => code as string);
    t.ok(mentioned.length > 0);
    t.same(
      mentioned.filter((code) => !known.has(code)),
      [],
    );
  }
  const { maxWholeMessageBytes } = api.LENGTH_PREFIX_DEFAULTS;
  t.match(named.get('lengthPrefix')?.[0], String(maxWholeMessageBytes));
});

void t.test('the table of limits of a computation is the defaults', async (t) => {
  const rows = tableRows(projectText('docs/computation.md'), ['limit (`WASI_ENGINE_DEFAULTS`)', 'default', 'flag of `runtime`']);
  t.same(Object.fromEntries(rows.map(([name = '', value]) => [/^\w+/.exec(name)?.[0], Number(value)])), api.WASI_ENGINE_DEFAULTS);
});
