/**
 * How the columns of the contract are kept in DuckDB.
 *
 * | contract | DuckDB |
 * | --- | --- |
 * | double | DOUBLE; NaN is NULL |
 * | int64, int32, boolean | BIGINT, INTEGER, BOOLEAN |
 * | text, json | VARCHAR, JSON (a VARCHAR by another name) |
 * | timestamp µs | TIMESTAMP or TIMESTAMP WITH TIME ZONE, both int64 microseconds |
 * | timestamp ns | TIMESTAMP_NS |
 * | decimal(p, s) | DECIMAL(p, s): an int16, int32, int64 or int128 by precision |
 * | decimal | DECIMAL(38, 20), and beside it `<name>$scale` UTINYINT, each row's own scale |
 *
 * An int32 column (series numbers) travels as an int64 column in batches and results.
 */
import {
  BIGINT,
  BOOLEAN,
  DECIMAL,
  DOUBLE,
  type DuckDBType,
  DuckDBVarCharType,
  INTEGER,
  TIMESTAMP,
  TIMESTAMP_NS,
  TIMESTAMPTZ,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import type { StoredColumn, StoredTable } from '../storage.ts';

/** The form in which a vector holds its values. */
export type VectorForm =
  | { kind: 'double' | 'int64' | 'int32' | 'text' | 'boolean' | 'time-us' | 'time-ns' }
  | DecimalForm
  /** The companion of an unbounded decimal: each row's scale. */
  | { kind: 'scale' };

/**
 * A decimal held as an integer of `bits` at `scale`. With `ownScale` the next column, of form `scale`, has each
 * row's own.
 */
export interface DecimalForm {
  kind: 'decimal';
  bits: 16 | 32 | 64 | 128;
  precision: number;
  scale: number;
  ownScale: boolean;
}

/** One DuckDB column. `source` is the position in the stored table's columns it holds. */
export interface PhysicalColumn {
  name: string;
  sqlType: string;
  duckType: DuckDBType;
  form: VectorForm;
  source: number;
}

/** Scale at which unbounded decimals are kept. */
export const unboundedScale = 20;

/** Rows in a full DuckDB vector and data chunk. */
export const vectorRows = 2048;

/** The DuckDB columns of a table, in order: one for each column, and a companion after each unbounded decimal. */
export function physicalColumns(table: StoredTable): PhysicalColumn[] {
  return table.columns.flatMap((column, source) => physicalOf(column, source));
}

/** See {@link physicalColumns}. */
export function physicalOf(column: StoredColumn, source: number): PhysicalColumn[] {
  const { name, type } = column;
  const plain = (sqlType: string, duckType: DuckDBType, form: VectorForm): PhysicalColumn[] => [
    { name, sqlType, duckType, form, source },
  ];
  switch (type.kind) {
    case 'double':
      return plain('DOUBLE', DOUBLE, { kind: 'double' });
    case 'int64':
      return plain('BIGINT', BIGINT, { kind: 'int64' });
    case 'int32':
      return plain('INTEGER', INTEGER, { kind: 'int32' });
    case 'text':
      return plain('VARCHAR', VARCHAR, { kind: 'text' });
    case 'json':
      // Called JSON the text goes in as it is; DuckDB would parse a VARCHAR again, with limits of its own.
      return plain('JSON', DuckDBVarCharType.create('JSON'), { kind: 'text' });
    case 'boolean':
      return plain('BOOLEAN', BOOLEAN, { kind: 'boolean' });
    case 'timestamp':
      if (type.unit === 'ns') return plain('TIMESTAMP_NS', TIMESTAMP_NS, { kind: 'time-ns' });
      return type.zone
        ? plain('TIMESTAMP WITH TIME ZONE', TIMESTAMPTZ, { kind: 'time-us' })
        : plain('TIMESTAMP', TIMESTAMP, { kind: 'time-us' });
    case 'decimal':
      if (type.precision !== undefined) {
        return [decimalColumn(name, source, type.precision, type.scale ?? 0, false)];
      }
      return [
        decimalColumn(name, source, 38, unboundedScale, true),
        { name: scaleName(name), sqlType: 'UTINYINT', duckType: UTINYINT, form: { kind: 'scale' }, source },
      ];
  }
}

/** Name of the companion column of an unbounded decimal. */
export function scaleName(name: string): string {
  return `${name}$scale`;
}

/** Bits of the integer in which DuckDB keeps a decimal of that precision. */
export function decimalBits(precision: number): 16 | 32 | 64 | 128 {
  return precision <= 4 ? 16 : precision <= 9 ? 32 : precision <= 18 ? 64 : 128;
}

function decimalColumn(
  name: string,
  source: number,
  precision: number,
  scale: number,
  ownScale: boolean,
): PhysicalColumn {
  return {
    name,
    sqlType: `DECIMAL(${precision},${scale})`,
    duckType: DECIMAL(precision, scale),
    form: { kind: 'decimal', bits: decimalBits(precision), precision, scale, ownScale },
    source,
  };
}
