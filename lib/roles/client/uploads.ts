/** Files on their way to the manager. */
import { integerInRange } from '../../core/check.js';
import { InvalidArgumentError } from '../../core/errors.js';
import type { Progress, WriteOptions } from './options.js';
import { type Piece, sendPieces } from './pieces.js';
import type { ClientSession } from './session.js';
import { type FileSource, PieceReader } from './source.js';
import { absolute } from './transfer.js';

export interface Upload {
  readonly operation: 'write' | 'append';
  readonly name: string;
  readonly source: FileSource;
  readonly options: WriteOptions;
  readonly maxPieceBytes: number;
  /** Hears of progress besides `options.onProgress`. */
  readonly tell: (progress: Progress) => void;
}

/** Sends a file in its turn, in one message or several. */
export async function upload(session: ClientSession, { source, options, ...more }: Upload): Promise<void> {
  absolute(more.name);
  if (options.size !== undefined) integerInRange('size', options.size, 0, Number.MAX_SAFE_INTEGER);
  refuseOwnBody(session, source);
  const opening = PieceReader.open(source, options.size);
  // An invalid source is reported when the request's turn comes.
  opening.catch(() => {});
  try {
    await session.during(options.signal, async () => sendFile(session, await opening, { options, ...more }));
  } finally {
    await opening.then(
      (reader) => reader.destroy(),
      () => {},
    );
  }
}

/** The body would be read in a turn that comes when it was read. */
function refuseOwnBody(session: ClientSession, source: FileSource): void {
  const open = session.holds(source);
  if (open === undefined) return;
  throw new InvalidArgumentError(
    `the source is the body of ${open.name} of this client, which sends nothing before it was read: save it first, or use another client`,
    { layer: 'client', got: open.body.length },
  );
}

async function sendFile(session: ClientSession, reader: PieceReader, work: Omit<Upload, 'source'>): Promise<void> {
  const { operation, name, options, maxPieceBytes, tell } = work;
  let sent = 0;
  const report = (bytes: number) => {
    sent += bytes;
    const progress: Progress = { operation, name, bytes: sent, total: reader.size };
    options.onProgress?.(progress);
    tell(progress);
  };
  const write = async (data: Piece, first: boolean) => {
    const oneof = first && operation === 'write' ? 'write_file' : 'append_file';
    await session.request({ oneof, fields: { file_name: absolute(name), data } });
  };
  try {
    await sendPieces(reader, maxPieceBytes, { write, report, broken: session.broken() });
  } finally {
    session.unbroken();
  }
}
