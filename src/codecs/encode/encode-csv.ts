import type { ColumnData, ColumnSet } from '../../market/columns.ts';
import { formatDecimal } from '../decimal-text.ts';
import { joinedRows } from './joined-rows.ts';
import { type TimeFormat, timeWriter } from './time-text.ts';

/**
 * CSV after RFC 4180 with `\n` line ends, a header first, in pieces. Null is an empty cell, the empty string `""`;
 * integers and decimals keep every digit.
 */
export function* encodeCsv(set: ColumnSet, time: TimeFormat): Generator<string> {
  yield `${set.names.map(quoteCell).join(',')}\n`;
  const writers = set.columns.map((column) => cellWriter(column, time));
  const writeRow = (row: number): string => {
    let text = '';
    for (let i = 0; i < writers.length; i++) text += i === 0 ? writers[i](row) : `,${writers[i](row)}`;
    return `${text}\n`;
  };
  yield* joinedRows(writeRow, set.rowCount, '');
}

function cellWriter(column: ColumnData, time: TimeFormat): (row: number) => string {
  switch (column.kind) {
    case 'double': {
      const { values } = column;
      return (row) => (Number.isNaN(values[row]) ? '' : String(values[row]));
    }
    case 'text': {
      const { dictionary, codes } = column;
      const quoted: string[] = [];
      return (row) => {
        const code = codes[row];
        if (code < 0) return '';
        quoted[code] ??= quoteCell(dictionary[code]);
        return quoted[code];
      };
    }
    case 'boolean':
      return orEmpty(column.nulls, (row) => (column.values[row] === 1 ? 'true' : 'false'));
    case 'int64':
      return orEmpty(column.nulls, (row) => String(column.values[row]));
    case 'decimal':
      return orEmpty(column.nulls, (row) => formatDecimal(column.coefficients[row], column.scales[row]));
    case 'timestamp':
      return orEmpty(column.nulls, timeWriter(column, time));
  }
}

function orEmpty(nulls: Uint8Array | undefined, write: (row: number) => string): (row: number) => string {
  return nulls ? (row) => (nulls[row] ? '' : write(row)) : write;
}

function quoteCell(text: string): string {
  return text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
