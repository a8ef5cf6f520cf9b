/** The schema of the wire, as protobufjs and as protobuf-es have it. */

import { readFileSync } from 'node:fs';
import { createFileRegistry, type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import protobufjs from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';

const PROTO = new URL('../../../../proto/transport_protocol.proto', import.meta.url);
const REQUEST = 'transport_protocol.RuntimeManagerRequest';

/** protobufjs, by reflection, as its README begins. */
export function protobufjsRequest(): protobufjs.Type {
  return root().lookupType(REQUEST);
}

/** protobuf-es: what its generated code gives at run time, from the same descriptor. */
export function protobufEsRequest(): DescMessage {
  const described = (root() as unknown as { toDescriptor(edition: string): protobufjs.Message }).toDescriptor('proto3');
  const set = fromBinary(FileDescriptorSetSchema, descriptor.FileDescriptorSet.encode(described).finish());
  for (const file of set.file) {
    // protobufjs names types as they are named from within the package; protobuf-es wants all of the name.
    for (const field of file.messageType.flatMap((message) => message.field)) {
      if (field.typeName !== '' && !field.typeName.startsWith('.')) field.typeName = `.${file.package}.${field.typeName}`;
    }
  }
  const message = createFileRegistry(set).getMessage(REQUEST);
  if (message === undefined) throw new Error(`the schema has no ${REQUEST}`);
  return message;
}

function root(): protobufjs.Root {
  return protobufjs.parse(readFileSync(PROTO, 'utf8'), { keepCase: true }).root;
}
