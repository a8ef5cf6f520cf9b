import { ProtobufError, TruncatedError } from '../../core/errors.js';
import type { Received, Sent } from '../../layers/protobuf/index.js';
import type { Channel } from '../../pipeline/channel.js';

const LAYER = 'attestation-server';

export type Asked = Received<'ProxyAttestationServerRequest'>;
export type Answer = Sent<'ProxyAttestationServerResponse'>;
/** Names of the messages that the server takes. */
export type Arm = Exclude<Asked['oneof'], null>;
export type Fields<A extends Arm> = Extract<Asked, { oneof: A }>['fields'];

/**
 * The one message of a body. @throws TruncatedError when there is none, ProtobufError when there are more; the stack's
 * errors
 */
export async function onlyMessage(channel: Channel<Answer, Asked>): Promise<Asked> {
  let only: Asked | undefined;
  for await (const message of channel.iterator({ destroyOnReturn: false })) {
    if (only !== undefined) throw new ProtobufError('a body has one message, got more', { layer: LAYER, expected: 1, got: 2 });
    only = message;
  }
  if (only === undefined) throw new TruncatedError('a body has one message, got none', { layer: LAYER, expected: 1, got: 0 });
  return only;
}
