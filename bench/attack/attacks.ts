/** Every attack by its name on the command line. */
import type { Attack } from './attack.js';
import { burners } from './attacks/burners.js';
import { certificates } from './attacks/certificates.js';
import { connections } from './attacks/connections.js';
import { handshakes } from './attacks/handshakes.js';
import { memory } from './attacks/memory.js';
import { nothing } from './attacks/nothing.js';
import { programs } from './attacks/programs.js';
import { quota } from './attacks/quota.js';
import { sessionIds } from './attacks/session-ids.js';
import { silence } from './attacks/silence.js';
import { starvation } from './attacks/starvation.js';
import { tables } from './attacks/tables.js';
import { takeover } from './attacks/takeover.js';

export type AttackName =
  | 'nothing'
  | 'burners'
  | 'takeover'
  | 'handshakes'
  | 'certificates'
  | 'tables'
  | 'session-ids'
  | 'connections'
  | 'memory'
  | 'starvation'
  | 'quota'
  | 'silence'
  | 'programs';

export const ATTACKS: Readonly<Record<AttackName, Attack>> = {
  nothing,
  burners,
  takeover,
  handshakes,
  certificates,
  tables,
  'session-ids': sessionIds,
  connections,
  memory,
  starvation,
  quota,
  silence,
  programs,
};
export const ATTACK_NAMES = Object.keys(ATTACKS) as AttackName[];
