/** A process of the demo that answers, and then works without an end and without a turn for anything else. */
import { answerCalls, tell } from '../../lib/cli/demo/calls.js';

const methods = {
  hello: async (name: string): Promise<string> => `hello ${name}`,

  async forever(_: undefined): Promise<void> {
    tell({ busy: true });
    // The message leaves in this turn.
    for (;;);
  },
};

export type BusyMethods = typeof methods;

answerCalls(methods);
