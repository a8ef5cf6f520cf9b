/** The proofs, in the order in which they stand in docs/reliability.md. */

export interface ProofCommand {
  /** Name of the npm script. */
  readonly name: string;
  /** What it shows, for the document. */
  readonly shows: string;
  /** The module below dist/bench/. */
  readonly module: string;
  /** Arguments of a run of some minutes, and of one for the record, which takes hours. */
  readonly short: readonly string[];
  readonly long: readonly string[];
}

export const PROOFS: readonly ProofCommand[] = [
  {
    name: 'fuzz',
    shows:
      'Every decoder and parser of what others have written, with inputs made to break it. An input is read whole and in random pieces, and both must come to the same; only errors of the library may come out; evidence that was altered must not verify; protobuf is compared with protobufjs and protobuf-es.',
    module: 'proof/fuzz/main',
    short: ['all', '--inputs', '20000'],
    long: ['all', '--inputs', '10000000'],
  },
  {
    name: 'crash',
    shows:
      'kill -9 of the client, the Server, the Runtime Manager and the attestation server, at random moments of a write, an append, a read, a computation and an attestation. Nothing acknowledged is lost, nothing is there twice or by half, no process and no folder of a run is left, and everything works again without help.',
    module: 'proof/crash/main',
    short: ['--rounds', '6'],
    long: ['--rounds', '200'],
  },
  {
    name: 'faults',
    shows:
      'Real processes, with lines between them that are slow, stall, reset, close by half or swallow what comes; a disk that is full or broken; no descriptors left; clocks that jump, for OpenSSL, too. Clients work all the time. Each call ends with the right result or a named error within its deadlines, nothing acknowledged is lost, and when a fault is over, everything works again. Deadlines are 3 s and certificates hold 6 s here, so that a round is short.',
    module: 'proof/faults/main',
    short: ['--rounds', '2'],
    long: ['--rounds', '100'],
  },
  {
    name: 'soak',
    shows:
      'Many small requests and short sessions; every read is checked. In the end descriptors, timers, listeners and tables are what they were, and memory has not grown.',
    module: 'proof/soak/main',
    short: ['--requests', '20000', '--sessions', '1000'],
    long: ['--requests', '1000000', '--sessions', '100000'],
  },
  {
    name: 'simulate',
    shows:
      'Fleets of clients, Servers, managers and attestation servers in one process, with a virtual clock, and networks and disks that fail as the seed says; invariants are checked after each step. [Simulation](simulation.md) says how, and what is real.',
    module: 'simulate/main',
    short: ['--seeds', '200'],
    long: ['--seeds', '10000'],
  },
  {
    name: 'sweep',
    shows:
      'Whole sessions, in both dialects, with one fault at one place: bytes cut, flipped, deleted, doubled, and records, messages and frames dropped, doubled, swapped, held. Each case ends with the right bytes or with a named error within its deadline.',
    module: 'proof/sweep/main',
    short: ['--every', '997'],
    long: ['--every', '1'],
  },
];
