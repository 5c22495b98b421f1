/**
 * Recovery: the frames after a given LSN, in order.
 *
 * A crash may leave the end of the log torn: bytes that were written but never synced are on the disk, or not, in
 * any mixture, since a disk takes pages in any order. None of them was promised to anyone (or only at a durability
 * level that says so). Bytes that were synced, on the other hand, are promised, and damage to them must stop recovery.
 * So the one question about a bad frame e is: was it ever synced?
 *
 * ```
 *  segment 1 (not the last)          segment 2 (the last)
 *  [1][2][3]                         [4][5][6:bad][7: synced LSN 6][8]
 *  synced before segment 2 began     7 says that 6 was synced before 7 was written: corruption
 *
 *                                    [4][5][6:bad][7: synced LSN 5][8: synced LSN 5]
 *                                    nobody ever saw 6 synced: a torn tail, cut after 5
 * ```
 *
 * - In a segment that is not the last: yes. A segment is synced before the next is created. Where the next starts says
 *   how many frames it has; what the file holds beyond them is left of a failed write and was not acknowledged.
 * - In the last: yes, if any valid frame header after it, found by scanning, has a synced LSN ≥ e. The header's
 *   salted checksum makes sure that a scan finds no header that this segment's writer did not write.
 * - Otherwise it is the torn tail; it is cut off the file, so that what follows is written to clean ground.
 *
 * What this cannot tell apart: damage to the very last group of frames that was synced, after which nothing was
 * written. It looks like a torn tail and is cut, with a warning. Reporting it instead would mean refusing to start
 * after any ordinary power loss in the middle of a group.
 */
import { CandelaError } from '../../core/errors.ts';
import type { File, FileSystem } from '../../core/file-system.ts';
import type { Logger } from '../../core/log.ts';
import { decodeFrame, frameHeaderBytes, readHeader, readWholeFrame, type WalFrame } from './frame.ts';
import { listSegments, readSegmentHeader, type SegmentFile, segmentHeaderBytes } from './segment.ts';

/** Where to read, and from which LSN on. */
export interface ReplayOptions {
  directory: string;
  fileSystem: FileSystem;
  /** Frames up to this one are in the store already. */
  afterLsn: number;
  log: Logger;
}

/**
 * The frames after `afterLsn` with no gap, each a fresh object that the caller may keep. Iterate to the end:
 * that is when a
 * torn tail is cut. Throws `CORRUPT_WAL` naming file and byte offset for a frame that was synced and is damaged, a gap
 * in the LSNs or a bad segment header.
 */
export async function* replayWal(options: ReplayOptions): AsyncGenerator<WalFrame, void, undefined> {
  const segments = await listSegments(options.fileSystem, options.directory);
  // The newest segment that begins no later than the first frame wanted; older ones need not even be readable.
  const start = segments.findLastIndex((segment) => segment.firstLsn <= options.afterLsn + 1);
  if (start < 0 && segments.length > 0) {
    const { path, firstLsn } = segments[0];
    throw corrupt(
      { path, offset: 0, lsn: firstLsn },
      `the log starts here, LSN ${options.afterLsn + 1} is missing`,
    );
  }
  for (let i = Math.max(start, 0); i < segments.length; i++) {
    yield* replaySegment(segments[i], segments[i + 1]?.firstLsn ?? null, options);
  }
}

/** `nextFirstLsn` is where the next segment starts, null for the last. */
async function* replaySegment(
  segment: SegmentFile,
  nextFirstLsn: number | null,
  { fileSystem, afterLsn, log }: ReplayOptions,
): AsyncGenerator<WalFrame, void, undefined> {
  const { path, firstLsn } = segment;
  const file = await fileSystem.open(path, 'existing');
  try {
    const bytes = await file.read(0, await file.size());
    const salt = saltOf(segment, bytes, nextFirstLsn === null);
    if (salt === null) return;
    let end: Position = { path, offset: segmentHeaderBytes, lsn: firstLsn };
    let synced = end;
    while (end.lsn !== nextFirstLsn) {
      const frame = readWholeFrame(bytes, end.offset, salt);
      if (frame === null) break;
      if (frame.lsn !== end.lsn) throw corrupt(end, `frame ${frame.lsn} where frame ${end.lsn} must be`);
      // The first frame to tell of a sync is the one written next after it.
      if (frame.syncedLsn >= synced.lsn) synced = end;
      const next = end.offset + frame.byteLength;
      if (end.lsn > afterLsn) yield decodeAt(end, bytes.subarray(end.offset, next));
      end = { path, offset: next, lsn: end.lsn + 1 };
    }
    if (nextFirstLsn === null) {
      refuseIfSynced(bytes, end, salt);
      await settleTail(file, bytes, synced.offset, end, log);
    } else if (end.lsn !== nextFirstLsn) {
      const what = end.offset === bytes.length ? 'missing' : 'damaged';
      throw corrupt(end, `frame ${end.lsn} is ${what}; the next segment starts with frame ${nextFirstLsn}`);
    }
  } finally {
    await file.close();
  }
}

/** A place in the log: where frame `lsn` begins, or should. */
interface Position {
  path: string;
  offset: number;
  lsn: number;
}

/**
 * Cuts off what is torn, and puts what is whole on the disk for certain before anything is written after it. Frames
 * that no later one tells to be synced are written again for that: if their sync failed before the crash, the
 * system may count their pages as written, and another sync would do nothing.
 */
async function settleTail(
  file: File,
  bytes: Uint8Array,
  syncedEnd: number,
  { path, offset, lsn }: Position,
  log: Logger,
): Promise<void> {
  const bytesCut = bytes.length - offset;
  if (bytesCut > 0) await file.truncate(offset);
  if (syncedEnd < offset) await file.write([bytes.subarray(syncedEnd, offset)], syncedEnd);
  await file.sync();
  if (bytesCut === 0) return;
  log.warn(
    { file: path, offset, bytesCut, lastLsn: lsn - 1 },
    'the write-ahead log ended in bytes written but not synced before a crash; cut after the last whole frame',
  );
}

/** The salt of the segment, or null if it was never completely created. */
function saltOf(segment: SegmentFile, bytes: Uint8Array, isLast: boolean): number | null {
  const header = readSegmentHeader(bytes);
  const start = { path: segment.path, offset: 0, lsn: segment.firstLsn };
  if (typeof header === 'string') {
    // See segment.ts: so short a file holds nothing yet.
    if (isLast && bytes.length <= segmentHeaderBytes) return null;
    throw corrupt(start, header);
  }
  if (header.firstLsn !== segment.firstLsn) throw corrupt(start, `its header says LSN ${header.firstLsn}`);
  return header.salt;
}

function decodeAt(position: Position, bytes: Uint8Array): WalFrame {
  try {
    return decodeFrame(bytes);
  } catch (error) {
    throw corrupt(position, error instanceof Error ? error.message : String(error));
  }
}

/** Throws if there was a frame at `bad`, where none is whole, that had been synced: a later frame tells. */
function refuseIfSynced(bytes: Uint8Array, bad: Position, salt: number): void {
  for (let offset = bad.offset + 8; offset + frameHeaderBytes <= bytes.length; offset += 8) {
    const later = readHeader(bytes, offset, salt);
    if (later !== null && later.syncedLsn >= bad.lsn) {
      throw corrupt(bad, `frame ${bad.lsn} is damaged; it was synced before frame ${later.lsn} was written`);
    }
  }
}

function corrupt({ path, offset }: Position, what: string): CandelaError {
  return new CandelaError('CORRUPT_WAL', `${path}, byte ${offset}: ${what}`);
}
