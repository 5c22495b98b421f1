import { formatDecimal } from '../../codecs/decimal-text.ts';
import { type ColumnData, type ColumnSet, valueAt } from '../../market/columns.ts';
import { formatTimeNs } from '../../market/time.ts';

/** Rows aligned in columns under their names, numbers to the right, null as `NULL`: for people. */
export function formatTable(set: ColumnSet): string {
  const columns = set.columns.map((column, index) => {
    const cells = Array.from({ length: set.rowCount }, (_, row) => cellText(column, row));
    const width = cells.reduce(
      (max, cell) => Math.max(max, displayWidth(cell)),
      displayWidth(set.names[index]),
    );
    return { name: set.names[index], cells, width, isNumber: isNumber(column) };
  });
  const line = (textOf: (column: (typeof columns)[number]) => string): string =>
    columns
      .map((column) => pad(textOf(column), column.width, column.isNumber))
      .join('  ')
      .trimEnd();
  const lines = [line(({ name }) => name), columns.map(({ width }) => '─'.repeat(width)).join('  ')];
  for (let row = 0; row < set.rowCount; row++) lines.push(line(({ cells }) => cells[row]));
  return `${lines.join('\n')}\n`;
}

function isNumber({ kind }: ColumnData): boolean {
  return kind === 'double' || kind === 'int64' || kind === 'decimal';
}

function cellText(column: ColumnData, row: number): string {
  const value = valueAt(column, row);
  if (value === null) return 'NULL';
  if (typeof value === 'object') return formatDecimal(value.coefficient, value.scale);
  if (column.kind === 'timestamp') return formatTimeNs(value as bigint);
  // A line break inside a cell would tear the table.
  return String(value).replaceAll('\n', '\\n');
}

function pad(text: string, width: number, toRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return toRight ? space + text : text + space;
}

const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]/;

/** Columns a text takes on a terminal: East Asian characters take two. */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += wide.test(character) ? 2 : 1;
  return width;
}
