import { DuckDBInstance } from '@duckdb/node-api';
import { CandelaError } from '../../core/errors.ts';
import { schemaSql } from './catalog.ts';
import { inUse } from './database-file.ts';
import { readDuckDbError } from './errors.ts';
import { quoteText } from './sql-text.ts';

/** Settings of the embedded database. */
export interface InstanceOptions {
  /** The database file, or `:memory:`. */
  file: string;
  /** Where DuckDB spills what does not fit its memory. */
  temporaryDirectory: string | null;
  memoryBytesMax: number;
  threads: number;
  /** The only folder that statements of the store may read and write; null: there is none. */
  coldDirectory?: string | null;
}

/**
 * Opens the database and closes its doors: SQL that comes in over a protocol must not read or write files, load code
 * or change settings, whatever statement gets past the checks above it. Checkpoints
 * are made by `checkpoints.ts` alone.
 */
export async function openInstance(options: InstanceOptions): Promise<DuckDBInstance> {
  const instance = await createInstance(options);
  const { coldDirectory } = options;
  // The only folder left open once access is off.
  const folders = coldDirectory ? `[${quoteText(`${coldDirectory}/`)}]` : '[]';
  try {
    const connection = await instance.connect();
    await connection.run(
      `SET GLOBAL TimeZone = 'UTC'; PRAGMA disable_checkpoint_on_shutdown; ${schemaSql}
       SET GLOBAL allowed_directories = ${folders}; SET GLOBAL parquet_metadata_cache = true;
       SET GLOBAL enable_external_access = false; SET GLOBAL lock_configuration = true;`,
    );
    connection.closeSync();
  } catch (error) {
    instance.closeSync();
    throw openError(error, options.file);
  }
  return instance;
}

/**
 * Keeps other processes from writing to the database until the result is called: opens it for reading. Throws
 * `DATA_DIRECTORY_IN_USE`.
 */
export async function holdDatabase(options: InstanceOptions): Promise<() => void> {
  try {
    const instance = await createInstance(options, { access_mode: 'READ_ONLY' });
    return () => instance.closeSync();
  } catch (error) {
    if (error instanceof CandelaError && error.code === 'DATA_DIRECTORY_IN_USE') throw error;
    // A torn log may not even be read. But DuckDB locks before it reads, so nobody else has the database open.
    return () => {};
  }
}

async function createInstance(
  options: InstanceOptions,
  settings: Record<string, string> = {},
): Promise<DuckDBInstance> {
  try {
    // In this order: once access is off, DuckDB takes no other directory.
    return await DuckDBInstance.create(options.file, {
      ...(options.temporaryDirectory === null ? {} : { temp_directory: options.temporaryDirectory }),
      errors_as_json: 'true',
      threads: String(options.threads),
      memory_limit: `${Math.floor(options.memoryBytesMax / 2 ** 20)}MiB`,
      checkpoint_threshold: '1TiB',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false',
      ...settings,
    });
  } catch (error) {
    throw openError(error, options.file);
  }
}

function openError(thrown: unknown, file: string): CandelaError {
  const { type, message } = readDuckDbError(thrown);
  if (/set lock on file|being used by another process/i.test(message)) {
    const owner = /\(PID (\d+)\)/.exec(message);
    return inUse(file, owner ? `another process (pid ${owner[1]})` : 'another process', thrown);
  }
  const what = `cannot open ${file}: ${message}`;
  if (type === 'IO' && !/not a valid DuckDB database/i.test(message)) {
    return new CandelaError('INVALID_CONFIG', what, {
      cause: thrown,
      help: 'Check that the data directory and the files in it can be read and written.',
    });
  }
  return new CandelaError('CORRUPT_STORE', what, { cause: thrown });
}
