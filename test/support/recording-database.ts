/** A stand-in for the engine in tests of what writes to it: keeps every write; can be told to be slow or to refuse. */
import { CandelaError } from '../../src/core/errors.ts';
import type { Database, TableInfo, WriteResult } from '../../src/engine/database.ts';
import { type Batch, type Scalar, valueAt } from '../../src/market/columns.ts';
import type { CandlesDef, TableDef } from '../../src/market/schema.ts';

/** See {@link recordingDatabase}. */
export interface RecordingDatabase {
  database: Database;
  /** Batches as written, oldest first. */
  writes: { table: string; batch: Batch }[];
  /** All rows of a table in the order of writing, as records of scalars. */
  rows(table: string): Record<string, Scalar>[];
  candles: CandlesDef[];
  /** Runs before each write; what it throws is the write's answer. */
  onWrite: (table: string, batch: Batch) => Promise<void>;
}

/** A database that holds rows in arrays. Members a feed has no business with throw when touched. */
export function recordingDatabase(): RecordingDatabase {
  const tables = new Map<string, TableInfo>();
  const recording: Omit<RecordingDatabase, 'database'> = {
    writes: [],
    candles: [],
    onWrite: async () => {},
    rows: (table) =>
      recording.writes.filter((write) => write.table === table).flatMap(({ batch }) => rowsOf(batch)),
  };
  const addTable = (def: TableDef): TableInfo => {
    if (tables.has(def.name)) throw new CandelaError('TABLE_EXISTS', `table '${def.name}' exists`);
    const info = { ...def, version: 1, seriesCount: 0, rowCount: 0, rollup: null, backfill: null };
    tables.set(def.name, info);
    return info;
  };
  const members: Partial<Database> = {
    table: (name) => tables.get(name),
    tables: () => [...tables.values()],
    createTable: async (def) => addTable(def),
    async alterTable(name, change) {
      const info = tables.get(name);
      if (!info) throw new CandelaError('TABLE_NOT_FOUND', `there is no table '${name}'`);
      if ('addColumn' in change) info.columns = [...info.columns, change.addColumn];
      return info;
    },
    async createCandles(def) {
      recording.candles.push(def);
      return def.timeframes.map((timeframe) =>
        addTable({ name: `${def.source}_${timeframe}`, kind: 'bars', columns: [], seriesKey: ['symbol'] }),
      );
    },
    async write(table, batch): Promise<WriteResult> {
      await (recording as RecordingDatabase).onWrite(table, batch);
      recording.writes.push({ table, batch });
      const none = { duplicates: 0, corrected: 0, repeated: false, rejected: [] };
      return { lsn: recording.writes.length, rowCount: batch.rowCount, ...none };
    },
    async sql() {
      return { rowCount: 0, names: [], columns: [], types: [], truncated: false };
    },
  };
  return Object.assign(recording, { database: members as Database });
}

function rowsOf(batch: Batch): Record<string, Scalar>[] {
  return Array.from({ length: batch.rowCount }, (_, row) =>
    Object.fromEntries(Object.entries(batch.columns).map(([name, column]) => [name, valueAt(column, row)])),
  );
}
