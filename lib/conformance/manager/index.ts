/** All cases for a Runtime Manager. The kit is its Server and its clients. */
import { type Case, expect } from '../case.js';
import { statusOf } from '../peers/visitor.js';
import { BINCODE_CASES } from './bincode.js';
import type { ManagerContext } from './context.js';
import { ENROLMENT_CASES } from './enrolment.js';
import { LINK_CASES } from './link.js';
import { MESSAGE_CASES } from './messages.js';
import { PREFIX_CASES } from './prefix.js';
import { PROTOBUF_CASES } from './protobuf.js';
import { TLS_CASES } from './tls.js';

export { ManagerContext, type ManagerTarget } from './context.js';

const SHUTDOWN: Case<ManagerContext> = {
  name: 'end.shutdown',
  section: 'D.8',
  level: 'wire',
  ends: true,
  expects: 'request_shutdown: SUCCESS, and TlsData is no longer active.',
  run: async (context, scope) => {
    const visitor = await context.visit(scope);
    const reply = await visitor.ask({ oneof: 'request_shutdown', fields: {} });
    expect(statusOf(reply) === 'SUCCESS', `answered with ${statusOf(reply)}`);
    expect(!visitor.active, 'TlsData is still active');
    return undefined;
  },
};

export const MANAGER_CASES: readonly Case<ManagerContext>[] = [
  ...LINK_CASES,
  ...BINCODE_CASES,
  ...ENROLMENT_CASES,
  ...TLS_CASES,
  ...PREFIX_CASES,
  ...PROTOBUF_CASES,
  ...MESSAGE_CASES,
  SHUTDOWN,
];
