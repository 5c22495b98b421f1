/**
 * DuckDB's log made whole before DuckDB reads it.
 *
 * A process that dies inside a COMMIT leaves the beginning of a transaction at the end of the log. DuckDB 1.5 does not
 * apply it, with one exception: rows that a transaction of 122,880 rows and more wrote to the database file beforehand
 * stand in the log as one entry of references, and recovery adds them to the table as soon as it reads that entry,
 * whether the transaction's end follows or not. The transaction's deletions and its other rows are taken back, those
 * rows stay: after sealing each row of the range is there twice, after a flush its ticks are there without the log
 * position that says so, and are written again. So what follows the last whole transaction is cut off first.
 *
 * ```
 *   header   64 00 62 · 65 00 version · [66 00 16 · 16 × identifier · 67 00 checkpoints] · ff ff
 *   entry    length uint64 · checksum uint64 · payload: 64 00 type … ff ff       (little-endian)
 * ```
 *
 * Lengths are all that is looked at: what is wrong inside a whole transaction is for DuckDB to find and to refuse.
 * A log in use always may look torn, so it is cut only while DuckDB holds the database file's lock for this process.
 */
import { basename, dirname } from 'node:path';
import { CandelaError } from '../../core/errors.ts';
import { type File, nodeFileSystem } from '../../core/file-system.ts';
import type { Logger } from '../../core/log.ts';

/** DuckDB's log, and where commits go while it makes a checkpoint. */
const suffixes = ['.wal', '.wal.checkpoint'];

/** The only version of the log that DuckDB 1.5 writes to a database without encryption. */
const knownVersion = 2;

const versionType = 98;
const endOfTransactionType = 100;
const entryHeadBytes = 16;
/** With the first three bytes of its payload, which say what the entry is. */
const entryStartBytes = entryHeadBytes + 3;
const headerBytesMax = 64;

/** Bytes read at a time; most entries are smaller. */
const windowBytes = 2 ** 18;

/**
 * Cuts the logs of a database file after their last whole transaction. `lock` opens the database such that no process
 * can write to it, and returns what undoes that; it is called only when there is something to cut.
 */
export async function cutTornLogs(
  databaseFile: string,
  lock: () => Promise<() => void>,
  log: Logger,
): Promise<void> {
  const names = await nodeFileSystem.list(dirname(databaseFile));
  // DuckDB removes a log that has no database.
  if (!names.includes(basename(databaseFile))) return;
  const logs = suffixes
    .filter((suffix) => names.includes(basename(databaseFile) + suffix))
    .map((suffix) => databaseFile + suffix);
  const torn = await Promise.all(logs.map((path) => withFile(path, tornBytes)));
  if (torn.every((bytes) => bytes === 0)) return;
  const unlock = await lock();
  try {
    for (const path of logs) await withFile(path, (file) => cut(file, path, log));
  } finally {
    unlock();
  }
}

async function cut(file: File, path: string, log: Logger): Promise<void> {
  const bytes = await tornBytes(file, path);
  if (bytes === 0) return;
  log.info({ path, bytes }, "what an interrupted commit left in the store's log is cut off");
  await file.truncate((await file.size()) - bytes);
  await file.sync();
}

/** Bytes after the last whole transaction. Throws `CORRUPT_STORE` for a log of another version. */
async function tornBytes(file: File, path: string): Promise<number> {
  const size = await file.size();
  let window = await file.read(0, windowBytes);
  let windowStart = 0;
  const header = headerLength(window, path);
  if (header === null) return size;
  let whole = 0;
  for (let position = header; position + entryStartBytes <= size; ) {
    if (position + entryStartBytes > windowStart + window.length) {
      windowStart = position;
      window = await file.read(position, windowBytes);
    }
    const at = position - windowStart;
    const length = Number(new DataView(window.buffer, window.byteOffset).getBigUint64(at, true));
    position += entryHeadBytes + length;
    // Nothing has no payload: bytes of the file that were never written.
    if (length === 0 || position > size) break;
    if (window[at + entryStartBytes - 1] === endOfTransactionType) whole = position;
  }
  return size - whole;
}

/** Bytes of the header, or null if it is not all there. */
function headerLength(start: Uint8Array, path: string): number | null {
  let position = 0;
  const next = (): number => {
    let value = 0;
    for (let shift = 0; position < start.length; shift += 7) {
      const byte = start[position++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  const field = (id: number): boolean => {
    if (start[position] !== id || start[position + 1] !== 0) return false;
    position += 2;
    return true;
  };
  const type = field(100) ? next() : Number.NaN;
  const version = field(101) ? next() : Number.NaN;
  if (start.length < headerBytesMax && (Number.isNaN(type) || Number.isNaN(version))) return null;
  if (type !== versionType || version !== knownVersion) {
    throw new CandelaError('CORRUPT_STORE', `${path} is not a log of version ${knownVersion}`, {
      help: 'It may come from a later release: open the store with that, and close it, before going back.',
    });
  }
  if (field(102)) for (let left = next(); left > 0; left--) next();
  if (field(103)) next();
  return position + 2 <= start.length ? position + 2 : null;
}

async function withFile<T>(path: string, use: (file: File, path: string) => Promise<T>): Promise<T> {
  const file = await nodeFileSystem.open(path, 'existing');
  try {
    return await use(file, path);
  } finally {
    await file.close();
  }
}
