/** Makes a table definition out of the first rows of a file (`candela import --create`). */
import { CandelaError } from '../../core/errors.ts';
import type { ColumnDef, ColumnType, TableDef } from '../../market/schema.ts';
import { parseTimeNs } from '../../market/time.ts';
import type { FileColumn } from './row-source.ts';

/** What the user said about the table to make. */
export interface InferRequest {
  table: string;
  /** Columns that name a series; null leaves it to the names. */
  seriesKey: string[] | null;
  /** Types of columns that should not be guessed. */
  types: ReadonlyMap<string, ColumnType>;
}

const timeNames = ['time', 'timestamp', 'ts', 'datetime', 'date', 'ts_ms', 'time_ms', 'time_seconds'];
const seriesNames = ['symbol', 'ticker', 'sym', 'instrument', 'pair'];
const barNames = ['open', 'high', 'low', 'close'];
/** Columns that mean nothing but as numbers. */
const numberNames = [
  ...barNames,
  'price',
  'last',
  'bid',
  'ask',
  'size',
  'volume',
  'quantity',
  'qty',
  'amount',
];

/**
 * The table for a sample of at least one row. The time column is the one named `time`, `timestamp`, `ts` or the like,
 * else the first that holds times; with open, high, low and close the table is one of bars, with a time alone one of
 * ticks, without a time a plain one. Where a name says what a column is for, most of its values decide, so that a bad
 * row is refused rather than believed. Throws `INVALID_SCHEMA` when there are no columns.
 */
export function inferTable(sample: readonly FileColumn[], request: InferRequest): TableDef {
  if (sample.length === 0) throw new CandelaError('INVALID_SCHEMA', 'the file has no columns');
  const types = new Map(
    sample.map(({ name, type, values }) => {
      return [name, request.types.get(name) ?? type ?? inferType(trusted(name, values))] as const;
    }),
  );
  const timeColumn = timeColumnOf(sample, types);
  const seriesKey = request.seriesKey ?? seriesNames.filter((name) => types.has(name)).slice(0, 1);
  const columns = sample.map(({ name, values }): ColumnDef => {
    const isKey = name === timeColumn || seriesKey.includes(name);
    const type = types.get(name) ?? { kind: 'text' };
    if (name === timeColumn) {
      return { name, type: type.kind === 'timestamp' ? type : timeType(values), nullable: false };
    }
    // Series are told apart by text or whole numbers; a name that looks like a number stays what it is.
    const keyType: ColumnType = type.kind === 'int64' ? type : { kind: 'text' };
    return isKey ? { name, type: keyType, nullable: false } : { name, type };
  });
  const isBars = timeColumn !== undefined && barNames.every((name) => types.has(name));
  const kind = timeColumn === undefined ? 'plain' : isBars ? 'bars' : 'ticks';
  return {
    name: request.table,
    kind,
    columns,
    seriesKey,
    ...(timeColumn === undefined ? {} : { timeColumn }),
  };
}

/** The values to judge a column by: of one that must hold numbers those that are, if most are. */
function trusted(name: string, values: readonly unknown[]): readonly unknown[] {
  if (!numberNames.includes(name.toLowerCase())) return values;
  const numbers = values.filter(isNumber);
  return numbers.length > present(values).length / 2 ? numbers : values;
}

function present(values: readonly unknown[]): unknown[] {
  return values.filter((value) => value !== null && value !== undefined && value !== '');
}

/**
 * The narrowest type that holds every value: boolean, int64, double, a time, JSON, text. Digits with a leading zero
 * (`000001`, a stock's code) are text.
 */
export function inferType(values: readonly unknown[]): ColumnType {
  const known = present(values);
  if (known.length === 0) return { kind: 'text' };
  const isAll = (test: (value: unknown) => boolean): boolean => known.every(test);
  if (isAll((value) => typeof value === 'boolean' || /^(true|false)$/i.test(String(value))))
    return { kind: 'boolean' };
  if (isAll((value) => typeof value === 'object')) return { kind: 'json' };
  if (isAll((value) => typeof value !== 'object' && /^-?(0|[1-9]\d{0,17})$/.test(String(value))))
    return { kind: 'int64' };
  if (isAll(isNumber)) return { kind: 'double' };
  if (isAll(isIsoTime)) return timeType(known);
  return { kind: 'text' };
}

function isNumber(value: unknown): boolean {
  if (typeof value === 'number') return true;
  return (
    typeof value === 'string' && /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(value.trim())
  );
}

function isIsoTime(value: unknown): boolean {
  return typeof value === 'string' && value.includes('-') && isTime(value);
}

function isTime(value: unknown): boolean {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return false;
  try {
    parseTimeNs(value);
    return true;
  } catch {
    return false;
  }
}

/** Microseconds, or nanoseconds where the sample has finer digits than that or is missing. */
function timeType(values: readonly unknown[]): ColumnType {
  const isFiner =
    values.length === 0 ||
    values.some((value) => isTime(value) && parseTimeNs(value as string) % 1000n !== 0n);
  return { kind: 'timestamp', unit: isFiner ? 'ns' : 'us', zone: true };
}

function timeColumnOf(
  sample: readonly FileColumn[],
  types: ReadonlyMap<string, ColumnType>,
): string | undefined {
  const named = timeNames.flatMap((wanted) => sample.filter(({ name }) => name.toLowerCase() === wanted));
  const holdsTimes = ({ type, values }: FileColumn): boolean => {
    if (type) return type.kind === 'timestamp' || type.kind === 'int64';
    return values.filter(isTime).length > present(values).length / 2;
  };
  return (named.find(holdsTimes) ?? sample.find(({ name }) => types.get(name)?.kind === 'timestamp'))?.name;
}
