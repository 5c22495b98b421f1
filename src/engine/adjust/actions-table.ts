import type { TableDef } from '../../market/schema.ts';
import type { Database, TableInfo } from '../database.ts';

/**
 * Splits and dividends: one row for each symbol, date and kind; a later row takes the place of an earlier. `symbol` is
 * the value of a table's first series key column. Made by the first write to it; see docs/corporate-actions.md.
 */
export const corporateActionsTable: TableDef = {
  name: 'corporate_actions',
  kind: 'plain',
  columns: [
    { name: 'symbol', type: { kind: 'text' }, nullable: false },
    { name: 'ex_date', type: { kind: 'timestamp', unit: 'us', zone: false }, nullable: false },
    { name: 'kind', type: { kind: 'text' }, nullable: false },
    // New shares for each old one, of a split: 2 for 2-for-1, 0.1 for 1-for-10.
    { name: 'ratio', type: { kind: 'double' } },
    // Cash for each share held before the date, of a dividend.
    { name: 'amount', type: { kind: 'double' } },
    { name: 'note', type: { kind: 'text' } },
  ],
  seriesKey: ['symbol', 'ex_date', 'kind'],
};

/** The table to write to, `corporate_actions` made where it is missing; undefined if there is none of that name. */
export async function tableToWrite(
  database: Pick<Database, 'table' | 'createTable'>,
  name: string,
): Promise<TableInfo | undefined> {
  const table = database.table(name);
  if (table || name !== corporateActionsTable.name) return table;
  try {
    return await database.createTable(corporateActionsTable);
  } catch (error) {
    // Another writer may have been first.
    const made = database.table(name);
    if (made) return made;
    throw error;
  }
}
