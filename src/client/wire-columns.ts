/** Columns as JSON (`format=columns&time=ns`, see `protocols/http/wire.ts`) back to typed columns, every digit kept. */
import { parseDecimal } from '../codecs/decimal-text.ts';
import { CandelaError } from '../core/errors.ts';
import { type ColumnData, type ColumnKind, columnOf, type Scalar } from '../market/columns.ts';
import type { WireColumns, WireValue } from '../protocols/http/wire.ts';

/** The columns named, in order; `kinds[i]` is that of `names[i]`, null where nobody knows. */
export function columnsFromWire(
  wire: WireColumns,
  names: readonly string[],
  kinds: readonly (ColumnKind | null)[],
): ColumnData[] {
  return names.map((name, index) => {
    const values = wire[name] ?? [];
    const kind = kinds[index] ?? kindOf(values);
    return columnOf(
      kind,
      values.map((value) => (value === null ? null : readers[kind](value, name))),
    );
  });
}

/** Of a column no table declares: what its first value looks like. */
function kindOf(values: readonly WireValue[]): ColumnKind {
  const first = values.find((value) => value !== null);
  if (typeof first === 'boolean') return 'boolean';
  return typeof first === 'string' ? 'text' : 'double';
}

type ValueReader = (value: Exclude<WireValue, null>, name: string) => Scalar;

const readers: Record<ColumnKind, ValueReader> = {
  double: Number,
  int64: BigInt,
  timestamp: BigInt,
  text: String,
  boolean: (value) => value === true,
  decimal: (value, name) => {
    const decimal = parseDecimal(String(value));
    if (decimal) return decimal;
    throw new CandelaError('INTERNAL', `the server sent '${value}' as a decimal in column '${name}'`);
  },
};

/** The kind of a result column by DuckDB's name of its type. */
export function kindOfSqlType(type: string): ColumnKind {
  if (/^(U?TINYINT|U?SMALLINT|U?INTEGER|BIGINT)$/.test(type)) return 'int64';
  if (/^(DECIMAL|U?HUGEINT|UBIGINT)/.test(type)) return 'decimal';
  if (/^(TIMESTAMP|DATE)/.test(type)) return 'timestamp';
  if (/^(FLOAT|DOUBLE)$/.test(type)) return 'double';
  return type === 'BOOLEAN' ? 'boolean' : 'text';
}
