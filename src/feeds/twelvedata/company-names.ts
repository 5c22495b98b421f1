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
  const stored = await database.sql(`SELECT symbol FROM "${table.replaceAll('"', '""')}"`);
  const symbols = columnNamed(stored, 'symbol');
  const known = new Set<string>();
  for (let row = 0; symbols && row < stored.rowCount; row++) known.add(String(valueAt(symbols, row)));
  return {
    learn(symbol, name) {
      if (name === null || known.has(symbol)) return;
      known.add(symbol);
      batcher.push([symbol, name]);
    },
  };
}
