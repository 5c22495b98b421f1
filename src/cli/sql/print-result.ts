import { encodeCsv } from '../../codecs/encode/encode-csv.ts';
import { encodeJsonRows } from '../../codecs/encode/encode-json.ts';
import type { SqlResult } from '../../engine/database.ts';
import { count } from '../import/report.ts';
import { print, say } from '../terminal.ts';
import { formatTable } from './format-table.ts';

/** How `candela sql` writes results. */
export const resultFormats = ['table', 'csv', 'json'] as const;

/** One of {@link resultFormats}. */
export type ResultFormat = (typeof resultFormats)[number];

/** Writes a result to standard output, and on standard error how many rows there are. */
export async function printResult(result: SqlResult, format: ResultFormat): Promise<void> {
  if (format === 'table') await print(formatTable(result));
  else {
    const pieces = format === 'csv' ? encodeCsv(result, 'iso') : encodeJsonRows(result, 'iso');
    for (const piece of pieces) await print(piece);
    if (format === 'json') await print('\n');
  }
  const rows = `${count(result.rowCount)} ${result.rowCount === 1 ? 'row' : 'rows'}`;
  if (result.truncated) say(`the first ${rows}; there are more, see --rows-max`);
  else if (format === 'table') say(rows);
}
