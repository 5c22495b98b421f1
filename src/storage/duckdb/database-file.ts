import { CandelaError } from '../../core/errors.ts';

/** Name of the database file in the data directory. */
export const databaseFileName = 'market.duckdb';

/**
 * Files this thread has open. DuckDB locks out other processes, but would open a file of its own process twice and
 * ruin it.
 */
const claimed = new Set<string>();

/** Takes a file for this process; call the result when it is closed. Throws `DATA_DIRECTORY_IN_USE`. */
export function claimFile(file: string): () => void {
  if (claimed.has(file)) throw inUse(file, 'this process already');
  claimed.add(file);
  return () => {
    claimed.delete(file);
  };
}

/** The error for a database that is open elsewhere. */
export function inUse(file: string, owner: string, cause?: unknown): CandelaError {
  return new CandelaError('DATA_DIRECTORY_IN_USE', `${owner} has ${file} open`, { cause });
}
