/** Typed columns of a file as columns of a table of other types, where that makes sense. */

import { formatDecimal } from '../../codecs/decimal-text.ts';
import { createSink } from '../../codecs/decode/column-sink.ts';
import type { RowRejection } from '../../core/errors.ts';
import { type ColumnData, type Scalar, valueAt } from '../../market/columns.ts';
import type { ColumnDef } from '../../market/schema.ts';
import { formatTimeNs } from '../../market/time.ts';

/** The converted column; rows that did not fit are null in it and named. */
export interface ConvertedColumn {
  column: ColumnData;
  rejected: RowRejection[];
}

/** `column` as the table's column `def`; the same column where the kinds agree. */
export function convertColumn(column: ColumnData, rowCount: number, def: ColumnDef): ConvertedColumn {
  const wanted = def.type.kind === 'json' ? 'text' : def.type.kind;
  if (column.kind === wanted) return { column, rejected: [] };
  const sink = createSink(def.type);
  const rejected: RowRejection[] = [];
  if (rowCount > 0) sink.reserve(rowCount - 1);
  for (let row = 0; row < rowCount; row++) {
    const value = valueAt(column, row);
    if (value === null) continue;
    const refusal =
      typeof value === 'boolean' ? sink.putBoolean(row, value) : sink.putText(row, textOf(value, column));
    if (refusal !== null) rejected.push({ row, column: def.name, reason: refusal });
  }
  return { column: sink.finish(rowCount), rejected };
}

function textOf(value: Exclude<Scalar, null | boolean>, column: ColumnData): string {
  if (typeof value === 'object') return formatDecimal(value.coefficient, value.scale);
  return column.kind === 'timestamp' ? formatTimeNs(value as bigint) : String(value);
}
