/** The schema of the wire, as protobufjs and as protobuf-es have it. */

import { readFileSync } from 'node:fs';
import { createFileRegistry, type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import protobufjs from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';

const PROTO = new URL('../../../../proto/transport_protocol.proto', import.meta.url);
const PACKAGE = 'transport_protocol';
const REQUEST = 'RuntimeManagerRequest';

/** A message of the schema by protobufjs, by reflection, as its README begins. `without`: fields to leave out, `Message.field`. */
export function protobufjsType(name = REQUEST, without: readonly string[] = []): protobufjs.Type {
  return root(without).lookupType(`${PACKAGE}.${name}`);
}

/** The same by protobuf-es: what its generated code gives at run time, from the same descriptor. */
export function protobufEsType(name = REQUEST, without: readonly string[] = []): DescMessage {
  const described = (root(without) as unknown as { toDescriptor(edition: string): protobufjs.Message }).toDescriptor('proto3');
  const set = fromBinary(FileDescriptorSetSchema, descriptor.FileDescriptorSet.encode(described).finish());
  for (const file of set.file) {
    // protobufjs names types as they are named from within the package; protobuf-es wants all of the name.
    for (const field of file.messageType.flatMap((message) => message.field)) {
      if (field.typeName !== '' && !field.typeName.startsWith('.')) field.typeName = `.${file.package}.${field.typeName}`;
    }
  }
  const message = createFileRegistry(set).getMessage(`${PACKAGE}.${name}`);
  if (message === undefined) throw new Error(`the schema has no ${name}`);
  return message;
}

function root(without: readonly string[]): protobufjs.Root {
  const parsed = protobufjs.parse(readFileSync(PROTO, 'utf8'), { keepCase: true }).root;
  for (const name of without) {
    const [message = '', field = ''] = name.split('.');
    const type = parsed.lookupType(`${PACKAGE}.${message}`);
    type.remove(type.fields[field] as protobufjs.Field);
  }
  return parsed;
}
