/** The older segments of a log that is open for writing: complete, on the disk, and only ever deleted. */
import { CandelaError } from '../../core/errors.ts';
import type { FileSystem } from '../../core/file-system.ts';
import { listSegments, segmentHeaderBytes } from './segment.ts';

/** One of them. */
export interface ClosedSegment {
  path: string;
  lastLsn: number;
  bytes: number;
}

/**
 * The segments there, oldest first, after a replay and before the frame `startLsn` is written.
 * Throws `CORRUPT_WAL` if there are frames at or after `startLsn`.
 */
export async function findClosedSegments(
  fileSystem: FileSystem,
  directory: string,
  startLsn: number,
): Promise<ClosedSegment[]> {
  const files = await listSegments(fileSystem, directory);
  const closed: ClosedSegment[] = [];
  for (const [index, { path, firstLsn }] of files.entries()) {
    const file = await fileSystem.open(path, 'existing');
    const bytes = await file.size().finally(() => file.close());
    if (firstLsn > startLsn || (firstLsn === startLsn && bytes > segmentHeaderBytes)) {
      const what = `it starts at LSN ${firstLsn}, but the log is to go on at LSN ${startLsn}`;
      throw new CandelaError('CORRUPT_WAL', `${path}, byte 0: ${what}`);
    }
    // An empty one at startLsn was left by an interrupted creation; the first append makes it anew.
    if (firstLsn === startLsn) break;
    closed.push({ path, lastLsn: (files[index + 1]?.firstLsn ?? startLsn) - 1, bytes });
  }
  return closed;
}

/**
 * Deletes those that hold nothing after `lsn`, and takes them off the list. If a power loss brings some back, a replay
 * passes over them, and the next deletion takes them again.
 */
export async function deleteClosedSegments(
  fileSystem: FileSystem,
  closed: ClosedSegment[],
  lsn: number,
): Promise<void> {
  while (closed.length > 0 && closed[0].lastLsn <= lsn) {
    await fileSystem.remove(closed[0].path);
    closed.shift();
  }
}
