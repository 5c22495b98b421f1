/**
 * When DuckDB merges its own log into the database file.
 *
 * Left to itself it does so inside whichever COMMIT passes a threshold, and if the disk is full just then the whole
 * database is invalid until it is opened again, with that commit neither surely done nor surely undone. So its own
 * checkpoints are off, and one is made here, between two commits, once the log passes 32 MiB and only if the disk has
 * room for it. Without room the log goes on growing; when that fails too, the COMMIT fails cleanly, and later ones
 * succeed as soon as there is room again.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { freeBytes } from '../../core/file-system.ts';
import type { Logger } from '../../core/log.ts';
import type { ReaderPool } from './statements.ts';

/**
 * The log's size at which it is merged. Reading it back at a start takes about 0.1 s per 16 MiB. A checkpoint also
 * rewrites row groups that stand in the file partly filled: with twice the log it does so half as often.
 */
const logBytesMax = 32 * 2 ** 20;

/** Room left on the disk besides what the checkpoint may write. */
const roomBytes = 16 * 2 ** 20;

/** Sizes on disk. */
export interface DatabaseSize {
  fileBytes: number;
  logBytes: number;
}

/** What checkpoints are made of. */
export interface CheckpointContext {
  directory: string;
  writer: DuckDBConnection;
  readers: ReaderPool;
  log: Logger;
}

/**
 * Checkpoints if the log is longer than `logBytesLeft`; to be called while no commit runs. Never throws: it is tried
 * again after the next commit.
 */
export async function checkpointIfDue(context: CheckpointContext, logBytesLeft = logBytesMax): Promise<void> {
  const { directory, writer, readers, log } = context;
  try {
    const { logBytes } = await databaseSize(readers);
    if (logBytes <= logBytesLeft) return;
    // Rewritten parts of the file are written anew before the old ones are given up.
    const free = await freeBytes(directory);
    if (free < 2 * logBytes + roomBytes) {
      log.warn({ logBytes, freeBytes: free }, "no room on the disk to merge the store's log");
      return;
    }
    log.debug({ step: 'checkpoint', logBytes }, "merging the store's log");
    await writer.run('CHECKPOINT');
  } catch (error) {
    log.error({ err: error }, "the store's log could not be merged");
  }
}

/**
 * Bytes of the database file and its log, as DuckDB counts them. Not by opening the files: closing any descriptor of
 * a file gives up the process's lock on it.
 */
export function databaseSize(readers: ReaderPool): Promise<DatabaseSize> {
  const statement = {
    sql:
      'SELECT (block_size * total_blocks)::DOUBLE, wal_size FROM pragma_database_size() ' +
      'WHERE database_name = current_database()',
    parameters: [],
  };
  return readers.run(statement, (result) => {
    const chunk = result.getChunk(0);
    const [fileBytes] = chunk.getColumnValues(0);
    const [logSize] = chunk.getColumnValues(1);
    return { fileBytes: Number(fileBytes), logBytes: parseBytes(String(logSize)) };
  });
}

const byteUnits = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** DuckDB's way of writing sizes, such as `0 bytes` and `12.5 MiB`. */
function parseBytes(text: string): number {
  const [number, unit] = text.split(' ');
  return Math.round(Number(number) * 1024 ** Math.max(0, byteUnits.indexOf(unit)));
}
