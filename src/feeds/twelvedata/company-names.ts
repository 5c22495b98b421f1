import { CandelaError } from '../../core/errors.ts';
import type { Database } from '../../engine/database.ts';
import { columnNamed, valueAt } from '../../market/columns.ts';
import type { Batcher } from '../batcher.ts';

/** Fills the company table with the names a source gives, each symbol once. */
export interface CompanyNames {
  /** Writes the name unless the symbol has one already. */
  learn(symbol: string, name: string | null): void;
}

/** Starts from the names that are in the table. */
export async function companyNames(
  database: Pick<Database, 'sql'>,
  table: string,
  batcher: Batcher,
): Promise<CompanyNames> {
  const known = new Set(await storedSymbols(database, table));
  return {
    learn(symbol, name) {
      if (name === null || known.has(symbol)) return;
      known.add(symbol);
      batcher.push([symbol, name]);
    },
  };
}

async function storedSymbols(database: Pick<Database, 'sql'>, table: string): Promise<string[]> {
  try {
    const stored = await database.sql(`SELECT symbol FROM "${table.replaceAll('"', '""')}"`);
    const symbols = columnNamed(stored, 'symbol');
    return symbols ? Array.from({ length: stored.rowCount }, (_, row) => String(valueAt(symbols, row))) : [];
  } catch (error) {
    // A database in memory has no SQL, and no names from an earlier run either.
    if (error instanceof CandelaError && error.kind === 'unsupported') return [];
    throw error;
  }
}
