/**
 * Which of the right side's rows an as-of join can meet. Found by small queries in the same transaction: the left
 * side's series and its first and last time; then for each of those series the time of the nearest row outside.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { StoredView } from '../../../storage.ts';
import { relationSql } from '../../cold/cold-files.ts';
import { quoteName, quoteText, tableName } from '../../sql-text.ts';
import { selectSql } from '../../view-sql.ts';
import { roleSql, type SeriesView } from './series-view.ts';

/** The left side of a join; times in the right side's unit. */
export interface LeftSide {
  /** Numbers of the right side's series that it asks for; ascending. */
  series: number[];
  from: bigint;
  /** Inclusive. */
  to: bigint;
}

/** Of some series the time of one row each. */
export interface Neighbours {
  series: number[];
  times: bigint[];
}

/** All of the right side's rows. */
export interface Extent {
  from: bigint;
  to: bigint;
  /** Versions are between 0 and this. */
  versionMax: bigint;
}

/** Extremes of the right side; undefined when it has no rows. DuckDB answers from its statistics where it can. */
export async function readExtent(
  connection: DuckDBConnection,
  right: SeriesView,
): Promise<Extent | undefined> {
  const { toInteger } = right.unit;
  const rows = unionSql(right, `${roleSql(right, 'time')} AS t, ${roleSql(right, 'version')} AS v`, '');
  const reader = await connection.runAndReadAll(
    `SELECT ${toInteger}(min(t)), ${toInteger}(max(t)), max(v) FROM (${rows})`,
  );
  const [[from, to, versionMax]] = reader.getRows() as (bigint | null)[][];
  return from === null || to === null || versionMax === null ? undefined : { from, to, versionMax };
}

/** Each look goes so many times as far as the one before. */
const widening = 8n;

/**
 * The nearest row of each series before the left side's first time, or after its last. It looks near first, and
 * farther only for the series not found yet.
 */
export async function findNeighbours(
  connection: DuckDBConnection,
  right: SeriesView,
  left: LeftSide,
  extent: Extent,
  side: 'before' | 'after',
): Promise<Neighbours> {
  const { toInteger } = right.unit;
  const found = new Map<number, bigint>();
  const nearest = side === 'before' ? 'max' : 'min';
  let missing = left.series;
  let reach = (left.to - left.from) / widening + 1n;
  let [from, to] = side === 'before' ? [left.from, left.from - 1n] : [left.to + 1n, left.to];
  while (missing.length > 0 && (side === 'before' ? from > extent.from : to < extent.to)) {
    if (side === 'before') [from, to] = [greater(from - reach, extent.from), from - 1n];
    else [from, to] = [to + 1n, -greater(-(to + reach), -extent.to)];
    const where = whereSql(right, { series: missing, from, to });
    const names = [`${roleSql(right, 'series')} AS candela$s`, `${roleSql(right, 'time')} AS candela$t`];
    const rows =
      right.filter === null
        ? unionSql(right, names.join(', '), where)
        : viewRows(right, right.view, names, where).join(' UNION ALL ');
    const sql = `SELECT candela$s, ${toInteger}(${nearest}(candela$t)) FROM (${rows}) GROUP BY 1`;
    const reader = await connection.runAndReadAll(sql);
    for (const [series, time] of reader.getRows()) found.set(Number(series), time as bigint);
    missing = missing.filter((series) => !found.has(series));
    reach *= widening;
  }
  return { series: [...found.keys()], times: [...found.values()] };
}

/** Up to so many series are listed; of more only the least and the greatest number. */
const listedMax = 1_000;

/** Condition on rows `r` of the right side's tables: of these series, and between these times (both inclusive). */
export function whereSql(right: SeriesView, { series, from, to }: LeftSide): string {
  if (series.length === 0) return 'WHERE false';
  const number = roleSql(right, 'series');
  const time = roleSql(right, 'time');
  const { fromInteger } = right.unit;
  const [first, last] = [series[0], series[series.length - 1]];
  const conditions = [
    `${time} BETWEEN ${fromInteger}(${from}) AND ${fromInteger}(${to})`,
    `${number} BETWEEN ${first} AND ${last}`,
  ];
  const isScattered = last - first + 1 > series.length;
  if (isScattered && series.length <= listedMax) {
    conditions.push(`${number} IN (SELECT ${numbersSql(series, 'INTEGER')})`);
  }
  return `WHERE ${conditions.join(' AND ')}`;
}

/** One selection from each of the right side's tables, as `r`, and all of them together. */
export function unionSql({ tables }: SeriesView, list: string, rest: string): string {
  return tables.map((table) => `SELECT ${list} FROM ${relationSql(table)} r ${rest}`).join(' UNION ALL ');
}

/**
 * The right side's rows in the shape of a view, with `more` columns: one query for each of its tables. `rest` are joins
 * and conditions on rows `r` of the table.
 */
export function viewRows(
  right: SeriesView,
  shape: StoredView,
  more: readonly string[],
  rest: string,
): string[] {
  const { tables, dictionary, filter } = right;
  return tables.map((table) => {
    const rows = `${selectSql(shape, table, dictionary, more)} ${rest}`;
    return filter === null ? rows : `SELECT * FROM (${rows}) ${filter}`;
  });
}

/** A set-returning expression for a list of integers; quicker to parse than one constant each. */
export function numbersSql(values: readonly (number | bigint)[], type: string): string {
  return `unnest(string_split(${quoteText(values.join(','))}, ',')::${type}[])`;
}

/** The key columns of the right side's dictionary, with the series number first; all under names of our own. */
export function dictionarySql({ dictionary }: SeriesView, names: readonly string[]): string {
  const list = dictionary.columns.map(
    ({ name }, index) => `${quoteName(name)} AS ${quoteName(names[index])}`,
  );
  return `SELECT ${list.join(', ')} FROM ${tableName(dictionary.id)}`;
}

function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
