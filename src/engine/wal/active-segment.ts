/** The segment being written: the one file of the log that changes. */
import { CandelaError } from '../../core/errors.ts';
import type { File, FileSystem } from '../../core/file-system.ts';
import { readWholeFrame } from './frame.ts';
import { createSegmentHeader, segmentHeaderBytes, segmentPath } from './segment.ts';

/** State of an open segment: `0 ≤ syncedEnd ≤ end ≤ length of the file`. */
export interface ActiveSegment {
  file: File;
  path: string;
  firstLsn: number;
  salt: number;
  /** Where the acknowledged frames end; whatever the file holds beyond is a failed write and must go. */
  end: number;
  /** Where the bytes known to be on the disk end. */
  syncedEnd: number;
  /** A sync failed: the system may have thrown the unsynced pages away and count them as written. */
  isSyncDoubtful: boolean;
}

/**
 * Creates the file, or empties one left behind by a failed attempt; on the disk with its directory entry when
 * this resolves.
 */
export async function createSegment(
  fileSystem: FileSystem,
  directory: string,
  firstLsn: number,
): Promise<ActiveSegment> {
  const path = segmentPath(directory, firstLsn);
  const { header, bytes } = createSegmentHeader(firstLsn);
  const file = await fileSystem.open(path, 'create');
  try {
    await file.write([bytes], 0);
    await file.sync();
    await fileSystem.syncDirectory(directory);
  } catch (error) {
    await file.close();
    throw error;
  }
  const end = segmentHeaderBytes;
  return { file, path, firstLsn, salt: header.salt, end, syncedEnd: end, isSyncDoubtful: false };
}

/** Does it hold acknowledged frames? */
export function hasFrames(segment: ActiveSegment): boolean {
  return segment.end > segmentHeaderBytes;
}

/** Puts what was written so far on the disk. */
export async function syncSegment(segment: ActiveSegment): Promise<void> {
  const { end } = segment;
  try {
    await segment.file.sync();
  } catch (error) {
    segment.isSyncDoubtful = true;
    throw error;
  }
  segment.syncedEnd = end;
}

/**
 * After a failed write or sync: removes everything beyond the acknowledged frames and puts those on the disk. Until
 * this succeeds nothing may be written after them.
 */
export async function mendSegment(segment: ActiveSegment): Promise<void> {
  await segment.file.truncate(segment.end);
  if (segment.isSyncDoubtful) await rewriteUnsynced(segment);
  await syncSegment(segment);
  segment.isSyncDoubtful = false;
}

/**
 * A sync that succeeds after one that failed proves nothing for the pages of the first, unless they are written again.
 * Frames acknowledged before their sync (levels `interval` and `none`) are read back, checked, and written again.
 */
async function rewriteUnsynced(segment: ActiveSegment): Promise<void> {
  const { file, salt, syncedEnd, end } = segment;
  if (syncedEnd === end) return;
  const bytes = await file.read(syncedEnd, end - syncedEnd);
  for (let offset = 0; offset < end - syncedEnd; ) {
    const frame = readWholeFrame(bytes, offset, salt);
    if (frame === null) {
      throw new CandelaError(
        'CORRUPT_WAL',
        `${segment.path}, byte ${syncedEnd + offset}: the disk lost frames before they were synced`,
        {
          help: 'Restart: what is in memory is flushed to the store first, so nothing is lost by a clean stop.',
        },
      );
    }
    offset += frame.byteLength;
  }
  await file.write([bytes], syncedEnd);
}
