/** From rows as the file has them to rows as the table wants them: names, local times, constants. */
import { type DecodedRows, mergeRejections } from '../../codecs/decode/decoded-rows.ts';
import { CandelaError, type RowRejection } from '../../core/errors.ts';
import { type Batch, type ColumnData, type TextColumn, takeRows } from '../../market/columns.ts';
import type { ColumnDef } from '../../market/schema.ts';
import type { ImportPlan } from './row-source.ts';
import type { TimeReader } from './zone-time.ts';

/** The rows under the table's column names, times without a zone read in the plan's, constants added. */
export function finishRows(decoded: DecodedRows, plan: ImportPlan): DecodedRows {
  const { table, sources, constants, readTime } = plan;
  const timeSource = sources.get(table.timeColumn ?? '');
  const { rowCount, columns } = decoded.batch;
  const finished: Batch['columns'] = {};
  for (const [name, source] of sources) if (columns[source]) finished[name] = columns[source];
  for (const [name, text] of constants)
    finished[name] = constantColumn(mustColumn(plan, name), text, rowCount);
  const rows = { ...decoded, batch: { rowCount, columns: finished } };
  return readTime && timeSource !== undefined ? withLocalTimes(rows, table.timeColumn ?? '', readTime) : rows;
}

function mustColumn({ table }: ImportPlan, name: string): ColumnDef {
  const column = table.columns.find((candidate) => candidate.name === name);
  if (column) return column;
  throw new CandelaError('COLUMN_NOT_FOUND', `table '${table.name}' has no column '${name}'`);
}

/** One value for every row: text, or a whole number where the table wants one. */
function constantColumn({ name, type }: ColumnDef, text: string, rowCount: number): ColumnData {
  if (type.kind === 'text') return { kind: 'text', dictionary: [text], codes: new Int32Array(rowCount) };
  if (type.kind === 'int64' && /^-?\d{1,18}$/.test(text)) {
    return { kind: 'int64', values: new BigInt64Array(rowCount).fill(BigInt(text)) };
  }
  throw new CandelaError('INVALID_ARGUMENT', `column '${name}' of type ${type.kind} cannot be '${text}'`);
}

function withLocalTimes(decoded: DecodedRows, name: string, readTime: TimeReader): DecodedRows {
  const { rowCount, columns } = decoded.batch;
  const texts = columns[name];
  if (texts?.kind !== 'text') return decoded;
  const { values, nulls, rejected } = localTimes(texts, name, rowCount, readTime);
  const batch = { rowCount, columns: { ...columns, [name]: { kind: 'timestamp' as const, values, nulls } } };
  return withoutRows({ ...decoded, batch }, rejected);
}

function localTimes({ codes, dictionary }: TextColumn, name: string, rowCount: number, readTime: TimeReader) {
  const values = new BigInt64Array(rowCount);
  const nulls = new Uint8Array(rowCount);
  const rejected: RowRejection[] = [];
  for (let row = 0; row < rowCount; row++) {
    const text = codes[row] < 0 ? '' : dictionary[codes[row]];
    if (text === '') {
      nulls[row] = 1;
      continue;
    }
    try {
      values[row] = readTime(text);
    } catch (error) {
      if (!(error instanceof CandelaError)) throw error;
      rejected.push({ row, column: name, reason: error.message });
    }
  }
  return { values, nulls: nulls.includes(1) ? nulls : undefined, rejected };
}

/** The rows without those rejected, which are numbered them as in the batch, ascending. */
export function withoutRows(decoded: DecodedRows, rejected: readonly RowRejection[]): DecodedRows {
  if (rejected.length === 0) return decoded;
  const { batch, rowNumbers } = decoded;
  const out = new Set(rejected.map(({ row }) => row));
  const kept = new Int32Array(batch.rowCount - out.size);
  for (let row = 0, count = 0; row < batch.rowCount; row++) if (!out.has(row)) kept[count++] = row;
  const columns = Object.entries(batch.columns).map(([name, column]) => [name, takeRows(column, kept)]);
  return {
    sentRowCount: decoded.sentRowCount,
    batch: { rowCount: kept.length, columns: Object.fromEntries(columns) as Batch['columns'] },
    rowNumbers: rowNumbers ? kept.map((row) => rowNumbers[row]) : kept,
    rejected: mergeRejections(decoded, rejected),
  };
}
