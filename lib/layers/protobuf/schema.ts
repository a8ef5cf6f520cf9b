/** The schema in the form that the coders need: for each message in each dialect a table of its fields by number. */
import { oneOf } from '../../core/check.js';
import { DIALECTS, type Dialect } from '../formats/dialect.js';
import { enums, messages } from './descriptor.generated.js';
import { transport_protocol as coders } from './schema.generated.js';

/** Name of the layer. */
export const PROTOBUF = 'protobuf';

/** The four envelopes: the messages that travel on their own (wire spec §A). */
export const ENVELOPES = Object.freeze([
  'RuntimeManagerRequest',
  'RuntimeManagerResponse',
  'ProxyAttestationServerRequest',
  'ProxyAttestationServerResponse',
] as const);
/** The name of an envelope: the outermost message of a request or a response. */
export type EnvelopeName = (typeof ENVELOPES)[number];

/** Fields that only some dialects have. The other dialects treat them as unknown fields and skip them. */
export const ONLY_IN = {
  'StartMsg.firmware_version': ['2207', '2207-nitro'],
  'Program.code': ['2207', '2207-nitro'],
  'RuntimeManagerRequest.request_pipeline': ['head'],
} as const satisfies Record<string, readonly Dialect[]>;

/** The fields that carry files (message: field). They are streamed. Each is the last field of its message. */
export const BULK_FIELDS = { Data: 'data', Result: 'data' } as const;

/** A field with this name is limited by `maxFileNameBytes`, which counts bytes of UTF-8. */
export const FILE_NAME = 'file_name';

/** Wire types of the protobuf encoding. */
export const VARINT = 0;
export const FIXED64 = 1;
export const DELIMITED = 2;
export const FIXED32 = 5;

/** One field of a message: its number, its type, and where it belongs. */
export interface Field {
  readonly name: string;
  readonly number: number;
  readonly type: 'uint32' | 'int32' | 'string' | 'bytes' | 'enum' | 'message';
  readonly wire: typeof VARINT | typeof DELIMITED;
  /** Field number and wire type as one number, as on the wire. */
  readonly tag: number;
  /** The message in this field, if the field is an arm. */
  readonly table: MessageTable | undefined;
  /** The bytes of this field may be streamed. */
  readonly bulk: boolean;
}

/** The part of the generated code that is used. The table has checked all values before. */
export interface Coder {
  decode(bytes: Uint8Array): object;
}

/** The fields of a message, by name and by number. */
export interface MessageTable {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly byNumber: ReadonlyMap<number, Field>;
  readonly byName: ReadonlyMap<string, Field>;
  /** The fields whose tag (number and wire type) takes one byte, at the index of that byte. */
  readonly byTag: readonly (Field | undefined)[];
  /** The values of fields that did not come. */
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly bulk: Field | undefined;
  readonly coder: Coder;
}

const DEFAULTS = { uint32: 0, int32: 0, enum: 0, string: '', bytes: Buffer.alloc(0), message: undefined } as const;
/** Tags below this take one byte. */
const ONE_BYTE_TAGS = 0x80;

type Rows = Readonly<Record<string, { readonly number: number; readonly type: string; readonly oneof?: string }>>;

function tableOf(name: string, dialect: Dialect): MessageTable {
  const rows = Object.entries((messages as Readonly<Record<string, Rows>>)[name] as Rows);
  const fields = rows
    .filter(([field]) => {
      const only: readonly Dialect[] | undefined = (ONLY_IN as Readonly<Record<string, readonly Dialect[]>>)[`${name}.${field}`];
      return only === undefined || only.includes(dialect);
    })
    .map(([field, { number, type }]): Field => {
      const table = Object.hasOwn(messages, type) ? tableOf(type, dialect) : undefined;
      const kind =
        table !== undefined ? 'message' : Object.hasOwn(enums, type) ? 'enum' : (type as 'uint32' | 'int32' | 'string' | 'bytes');
      const wire = kind === 'uint32' || kind === 'int32' || kind === 'enum' ? VARINT : DELIMITED;
      const bulk = (BULK_FIELDS as Readonly<Record<string, string>>)[name] === field;
      return { name: field, number, type: kind, wire, tag: number * 8 + wire, table, bulk };
    });
  const byTag = new Array<Field | undefined>(ONE_BYTE_TAGS).fill(undefined);
  for (const field of fields) if (field.tag < ONE_BYTE_TAGS) byTag[field.tag] = field;
  return {
    name,
    fields,
    byNumber: new Map(fields.map((field) => [field.number, field])),
    byName: new Map(fields.map((field) => [field.name, field])),
    byTag,
    defaults: Object.fromEntries(fields.map((field) => [field.name, DEFAULTS[field.type]])),
    bulk: fields.find((field) => field.bulk),
    coder: (coders as unknown as Readonly<Record<string, Coder>>)[name] as Coder,
  };
}

const tables: Readonly<Record<Dialect, Map<EnvelopeName, MessageTable>>> = {
  '2207': new Map(),
  '2207-nitro': new Map(),
  head: new Map(),
};

/** The table of an envelope in a dialect. It is made once. @throws InvalidOptionError */
export function envelopeTable(type: EnvelopeName, dialect: Dialect): MessageTable {
  const known = (tables as Partial<typeof tables>)[dialect]?.get(type);
  if (known !== undefined) return known;
  const table = tableOf(oneOf('type', type, ENVELOPES), oneOf('dialect', dialect, DIALECTS));
  tables[dialect].set(type, table);
  return table;
}

const statusNames = new Map<number, keyof typeof enums.ResponseStatus>(
  Object.entries(enums.ResponseStatus).map(([name, number]) => [number, name as keyof typeof enums.ResponseStatus]),
);

/** The name of a status, or `undefined` for a number outside the enum. */
export function statusName(number: number): keyof typeof enums.ResponseStatus | undefined {
  return statusNames.get(number);
}

/** The number of a status, or `undefined` for a name outside the enum. */
export function statusNumber(name: string): number | undefined {
  return Object.hasOwn(enums.ResponseStatus, name) ? enums.ResponseStatus[name as keyof typeof enums.ResponseStatus] : undefined;
}
