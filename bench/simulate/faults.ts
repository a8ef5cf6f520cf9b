import { USUAL_SLOW_MS } from './disk.js';
import type { Fleet } from './fleet.js';
import type { Fault } from './plan.js';
import type { Simulator } from './simulator.js';

/**
 * Lets something go wrong, and puts it right again after its time.
 *
 * @param fail told when it is the product that goes wrong
 */
export function beginFault(fault: Fault, { network, clock }: Simulator, fleet: Fleet, fail: (message: string) => void): void {
  switch (fault.kind) {
    case 'cut':
      for (const connection of [...network.connections]) if (connection.line === network.line(...fault.between)) connection.cut();
      break;
    case 'silence': {
      const line = network.line(...fault.between);
      network.silence(line, true);
      clock.setTimeout(() => network.silence(line, false), fault.ms);
      break;
    }
    case 'slow': {
      const line = network.line(...fault.between);
      Object.assign(line, { latencyMs: fault.latencyMs, rate: fault.rate });
      clock.setTimeout(() => Object.assign(line, line.usual), fault.ms);
      break;
    }
    case 'kill':
      fleet.kill(fault.role, fault.downMs, fault.powerFails);
      break;
    case 'restart':
      fleet.restart(fault.role, fault.downMs).catch((error: Error) => fail(`closing ${fault.role}: ${error.stack}`));
      break;
    case 'disk': {
      const { faults } = fleet.place(fault.role).disk;
      Object.assign(faults, { oneIn: fault.oneIn, code: fault.code });
      clock.setTimeout(() => Object.assign(faults, { oneIn: 0 }), fault.ms);
      break;
    }
    case 'slow disk': {
      const { disk } = fleet.place(fault.role);
      disk.slowMs = fault.slowMs;
      clock.setTimeout(() => Object.assign(disk, { slowMs: USUAL_SLOW_MS }), fault.ms);
      break;
    }
    case 'clock':
      clock.jump(fault.ms);
  }
}
