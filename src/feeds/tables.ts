/** Creates what a feed writes to, and leaves alone what is already there. */
import { CandelaError } from '../core/errors.ts';
import type { Database } from '../engine/database.ts';
import type { CandlesDef, TableDef } from '../market/schema.ts';

/** The part of the engine that makes tables. */
export type TableMaker = Pick<Database, 'table' | 'createTable' | 'alterTable' | 'createCandles'>;

/** Bars from a second to a day: what every feed of prices builds unless told otherwise. */
export const candleTimeframes: readonly string[] = ['1s', '5s', '1m', '5m', '15m', '1h', '4h', '1d'];

/**
 * Brings a table into being on first start. A table of that name made earlier, by the feed or by a user, is kept and
 * gets the columns it lacks as nullable ones; its own column types stay. Throws `INVALID_CONFIG` when it lacks the
 * time column or a column of the series key, which cannot be added.
 */
export async function ensureTable(database: TableMaker, def: TableDef): Promise<void> {
  const existing = database.table(def.name);
  if (!existing) {
    await database.createTable(def);
    return;
  }
  const has = new Set(existing.columns.map((column) => column.name));
  const fixed = [...def.seriesKey, ...(def.timeColumn === undefined ? [] : [def.timeColumn])];
  const missing = fixed.filter((name) => !has.has(name));
  if (missing.length > 0) {
    throw new CandelaError(
      'INVALID_CONFIG',
      `table '${def.name}' exists without column ${missing.join(', ')}`,
      {
        help: 'Name another table in the options of the feed, or rename the one that is there.',
      },
    );
  }
  for (const column of def.columns) {
    if (!has.has(column.name)) {
      await database.alterTable(def.name, { addColumn: { name: column.name, type: column.type } });
    }
  }
}

/** Creates the bars of `def` that are not there yet; those that are stay as they are. */
export async function ensureCandles(database: TableMaker, def: CandlesDef): Promise<void> {
  const timeframes = def.timeframes.filter((timeframe) => !database.table(`${def.source}_${timeframe}`));
  if (timeframes.length > 0) await database.createCandles({ ...def, timeframes });
}
