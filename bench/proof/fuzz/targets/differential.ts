/**
 * Our reader of protobuf against protobufjs and protobuf-es, on the same bytes. Every kind of difference that is meant is
 * listed here, with its reason; any other is a violation.
 */
import { type DescMessage, fromBinary, type Message } from '@bufbuild/protobuf';
import type protobufjs from 'protobufjs';
import { decodeMessage, ENVELOPES } from '../../../../lib/layers/protobuf/index.js';
import { protobufEsType, protobufjsType } from '../../../layers/peers/protobuf-schema.js';
import { protobufFields } from '../make.js';
import { type Form, meant } from '../peer-differences.js';
import { type Outcome, readWhole, type Target } from '../target.js';
import { protobufCorpus } from './wire.js';

/** What dialect 2207 does not have. */
const HEAD_ONLY = ['RuntimeManagerRequest.request_pipeline'];

/** Numbers of the statuses by their names, as the schema has them. */
const STATUS = protobufjsType().root.lookupEnum('transport_protocol.ResponseStatus').values;

type Peer = (input: Buffer) => unknown;

export function differentialTargets(): Target[] {
  return ENVELOPES.map((envelope) => {
    const peers: Record<string, Peer> = {
      protobufjs: protobufjsPeer(protobufjsType(envelope, HEAD_ONLY)),
      'protobuf-es': protobufEsPeer(protobufEsType(envelope, HEAD_ONLY)),
    };
    return {
      name: `protobuf-peers-${envelope}`,
      corpus: protobufCorpus(envelope),
      make: protobufFields,
      whole: true as const,
      read: ([input]) => readWhole(() => ourForm(decodeMessage(envelope as 'RuntimeManagerRequest', input as Buffer))),
      check: (input, outcome) => {
        for (const [name, peer] of Object.entries(peers)) {
          const wrong = difference(
            name,
            input,
            outcome,
            readWhole(() => peer(input)),
          );
          if (wrong !== undefined) return wrong;
        }
        return undefined;
      },
    };
  });
}

/** How the peer's reading differs from ours, unless it is meant. */
function difference(peer: string, input: Buffer, ours: Outcome, theirs: Outcome): string | undefined {
  if (ours.given === theirs.given && (ours.error === undefined) === (theirs.error === undefined)) return undefined;
  const formOf = ({ given }: Outcome) => (given === '' ? undefined : (JSON.parse(given) as Form));
  const readings = { input, ours: formOf(ours), error: ours.error, theirs: formOf(theirs), theirError: theirs.error };
  if (meant(peer, readings) !== undefined) return undefined;
  const told = ({ given, error }: Outcome) => (error === undefined ? given : (error as Error).message);
  return `${told(ours)}, but ${peer}: ${told(theirs)}`;
}

function scalar(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}

/** The fields of `pairs` that are set, in the order of their names. */
function form(pairs: Iterable<[string, unknown]>): Form {
  const set = [...pairs].filter(([, value]) => value !== 0 && value !== '' && value !== undefined);
  return Object.fromEntries(set.sort(([a], [b]) => (a < b ? -1 : 1)));
}
const fieldsForm = (fields: object): Form => form(Object.entries(fields).map(([name, value]) => [name, scalar(value)]));

function ourForm({ oneof, fields, status, ...rest }: any): Form {
  return form([
    ...Object.entries(rest),
    ['status', STATUS[status ?? 'UNSET']],
    ...(oneof === null ? [] : [[oneof, fieldsForm(fields ?? {})] as [string, unknown]]),
  ]);
}

function protobufjsPeer(type: protobufjs.Type): Peer {
  return (input) => {
    const message = type.toObject(type.decode(input), { enums: Number, oneofs: true });
    const { message_oneof: arm, ...fields } = message;
    return form(
      Object.entries(fields)
        .filter(([name]) => !type.oneofs.message_oneof?.oneof.includes(name) || name === arm)
        .map(([name, value]) => [name, typeof value === 'object' ? fieldsForm(value as object) : value]),
    );
  };
}

function protobufEsPeer(description: DescMessage): Peer {
  return (input) => {
    const message = fromBinary(description, input, { readUnknownFields: false }) as Message & Record<string, any>;
    return form(
      description.members.flatMap((member): [string, unknown][] => {
        if (member.kind === 'field') return [[member.name, message[member.localName]]];
        const { case: name, value } = message[member.localName];
        const field = member.fields.find(({ localName }) => localName === name);
        if (field?.message === undefined) return [];
        return [[field.name, fieldsForm(Object.fromEntries(field.message.fields.map((each) => [each.name, value[each.localName]])))]];
      }),
    );
  };
}
