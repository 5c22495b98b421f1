/** Reads of the contract as SQL over one physical table. */

import { must } from '../../core/assert.ts';
import { CandelaError } from '../../core/errors.ts';
import type { CountRequest, LastRowsOf, LookupRequest, ScanRequest, TimeRange } from '../storage.ts';
import type { TableLayout } from './catalog.ts';
import { type ColdBounds, relationSql } from './cold/cold-files.ts';
import { quoteName, tableName } from './sql-text.ts';
import { makeTime, ParameterList, type Statement, timeParameterType } from './statements.ts';
import type { PhysicalColumn } from './types.ts';
import type { ResultForm } from './vector-reader.ts';

/** Up to so many series are listed one by one; more are joined as a list. */
const listedSeriesMax = 16;

/** A statement and the forms of its result columns. */
export interface ReadStatement extends Statement {
  forms: ResultForm[];
}

/** See `Storage.scan`. */
export function scanStatement(table: TableLayout, request: ScanRequest): ReadStatement {
  const roles = rolesOf(table);
  const parameters = new ParameterList();
  const conditions = [
    ...seriesConditions(roles.series, request.series, parameters),
    ...timeConditions(roles, request, parameters),
  ];
  if (request.versionBelow !== null) {
    conditions.push(`${roles.version} < ${parameters.add({ type: 'int64', value: request.versionBelow })}`);
  }
  const direction = request.order === 'asc' ? '' : ' DESC';
  const order = [roles.time, roles.version, 't.rowid'].map((name) => name + direction).join(', ');
  const inOrder = request.order === 'any' ? '' : ` ORDER BY ${order}`;
  const { list, forms } = selection(table, request.columns);
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : '';
  const limit = request.limit === null ? '' : ` LIMIT ${request.limit}`;
  return {
    sql: `SELECT ${list} FROM ${relationSql(table, timesAsked(request))} t${where}${inOrder}${limit}`,
    parameters: parameters.parameters,
    forms,
  };
}

/** See `Storage.lookup`. The pairs are also bounded by their least and greatest, so that zone maps skip most rows. */
export function lookupStatement(table: TableLayout, request: LookupRequest): ReadStatement {
  const roles = rolesOf(table);
  const parameters = new ParameterList();
  const type = timeParameterType(roles.timeColumn);
  const { series, timesNs } = request;
  const { list, forms } = selection(table, request.columns);
  // A time with digits the column does not keep matches no row.
  const pairs = Array.from(series, (_, i) => i).filter(
    (i) => roles.nsPerUnit === 1n || timesNs[i] % roles.nsPerUnit === 0n,
  );
  if (pairs.length === 0) {
    return { sql: `SELECT ${list} FROM ${tableName(table.id)} t WHERE false`, parameters: [], forms };
  }
  const seriesList = pairs.map((i) => series[i]);
  const timeList = pairs.map((i) => timesNs[i] / roles.nsPerUnit);
  const bounds = {
    fromNs: least(timeList) * roles.nsPerUnit,
    toNs: greatest(timeList) * roles.nsPerUnit + 1n,
  };
  const seriesText = parameters.add({ type: 'text', value: seriesList.join(',') });
  const timeText = parameters.add({ type: 'text', value: timeList.join(',') });
  const bound = (value: bigint): string => parameters.add({ type, value });
  const numbers = (placeholder: string, sqlType: string): string =>
    `unnest(string_split(nullif(${placeholder}, ''), ',')::${sqlType}[])`;
  const key =
    `SELECT DISTINCT ${numbers(seriesText, 'INTEGER')} AS s, ` +
    `${makeTime[type]}(${numbers(timeText, 'BIGINT')}) AS t`;
  const conditions = [
    `${roles.series} = k.s AND ${roles.time} = k.t`,
    `${roles.series} BETWEEN ${int32(parameters, least(seriesList))} AND ${int32(parameters, greatest(seriesList))}`,
    `${roles.time} BETWEEN ${bound(least(timeList))} AND ${bound(greatest(timeList))}`,
  ];
  return {
    sql: `SELECT ${list} FROM ${relationSql(table, bounds)} t, (${key}) k WHERE ${conditions.join(' AND ')}`,
    parameters: parameters.parameters,
    forms,
  };
}

/** See `Storage.lastRows`: first the greatest time per series, then the greatest version of the rows that have it. */
export function lastRowsStatement(
  table: TableLayout,
  columns: readonly string[],
  of?: LastRowsOf,
): ReadStatement {
  const roles = rolesOf(table);
  const { series, time, version } = roles;
  const { list, forms } = selection(table, columns);
  const name = relationSql(table, { fromNs: null, toNs: of?.toNs ?? null });
  const parameters = new ParameterList();
  const conditions = of
    ? [
        ...seriesConditions(series, of.series, parameters),
        ...timeConditions(roles, { fromNs: null, toNs: of.toNs, after: null, order: 'asc' }, parameters),
      ]
    : [];
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : '';
  const newest = `SELECT ${series} AS s, max(${time}) AS m FROM ${name} t${where} GROUP BY 1`;
  return {
    sql:
      `SELECT ${list} FROM ${name} t JOIN (${newest}) k ON ${series} = k.s AND ${time} = k.m ` +
      `QUALIFY row_number() OVER (PARTITION BY ${series} ORDER BY ${version} DESC, t.rowid DESC) = 1 ` +
      `ORDER BY ${series}`,
    parameters: parameters.parameters,
    forms,
  };
}

/** See `Storage.countByTime`: the slices' starts in ns and their rows. */
export function countStatement(table: TableLayout, request: CountRequest): ReadStatement {
  const { time, version, timeColumn } = rolesOf(table);
  const parameters = new ParameterList();
  const epoch = epochNsSql(time, timeColumn);
  const width = parameters.add({ type: 'int64', value: request.widthNs });
  const from = parameters.add({ type: 'int64', value: request.versionFrom });
  const below = parameters.add({ type: 'int64', value: request.versionBelow });
  const range = rangeCondition(table, request, parameters);
  const rows = request.hotOnly ? tableName(table.id) : relationSql(table, request);
  return {
    sql:
      // The remainder of a time before 1970 is negative.
      `SELECT n - ((n % ${width}) + ${width}) % ${width} AS s, count(*) FROM (SELECT ${epoch} AS n ` +
      `FROM ${rows} t WHERE ${version} >= ${from} AND ${version} < ${below} AND ${range}) ` +
      'GROUP BY s ORDER BY s',
    parameters: parameters.parameters,
    forms: [{ kind: 'int64' }, { kind: 'int64' }],
  };
}

function epochNsSql(time: string, { form }: PhysicalColumn): string {
  return form.kind === 'time-ns' ? `epoch_ns(${time})` : `epoch_us(${time}) * 1000`;
}

/** The time of a row `t` in nanoseconds. */
export function timesNsSql(table: TableLayout): string {
  const { time, timeColumn } = rolesOf(table);
  return epochNsSql(time, timeColumn);
}

/** SQL that is true of the rows `t` in the range. */
export function rangeCondition(table: TableLayout, range: TimeRange, parameters: ParameterList): string {
  return timeConditions(rolesOf(table), { ...range, after: null, order: 'asc' }, parameters).join(' AND ');
}

/** The order in which sealed rows `t` lie. */
export function sealedOrder(table: TableLayout): string {
  const { series, time, version } = rolesOf(table);
  return `${series}, ${time}, ${version}, t.rowid`;
}

/** See `Storage.readAll`: DuckDB keeps the order of insertion in a plain scan. */
export function readAllStatement(table: TableLayout, columns: readonly string[]): ReadStatement {
  const { list, forms } = selection(table, columns);
  return { sql: `SELECT ${list} FROM ${relationSql(table)} t`, parameters: [], forms };
}

/** The times that a scan can give rows of, its cursor considered. */
function timesAsked({ fromNs, toNs, after, order }: ScanRequest): ColdBounds {
  if (!after) return { fromNs, toNs };
  if (order === 'desc')
    return { fromNs, toNs: toNs === null || after.timeNs < toNs ? after.timeNs + 1n : toNs };
  return { fromNs: fromNs === null || after.timeNs > fromNs ? after.timeNs : fromNs, toNs };
}

interface QuotedRoles {
  series: string;
  time: string;
  version: string;
  timeColumn: PhysicalColumn;
  nsPerUnit: bigint;
}

function rolesOf(table: TableLayout): QuotedRoles {
  const { roles } = table;
  if (!roles) {
    throw new CandelaError(
      'INVALID_ARGUMENT',
      `table ${table.id} has no series, so it can only be read whole`,
    );
  }
  const timeColumn = must(
    table.physical.find(({ name }) => name === roles.time),
    `time column of table ${table.id}`,
  );
  return {
    series: `t.${quoteName(roles.series)}`,
    time: `t.${quoteName(roles.time)}`,
    version: `t.${quoteName(roles.version)}`,
    timeColumn,
    nsPerUnit: timeColumn.form.kind === 'time-ns' ? 1n : 1000n,
  };
}

/** The select list for the columns asked for. With no columns a constant stands in, for the row count. */
function selection(table: TableLayout, columns: readonly string[]): { list: string; forms: ResultForm[] } {
  const names: string[] = [];
  const forms: ResultForm[] = [];
  for (const column of columns) {
    const source = table.columns.findIndex(({ name }) => name === column);
    if (source < 0) throw new CandelaError('COLUMN_NOT_FOUND', `table ${table.id} has no column '${column}'`);
    for (const physical of table.physical) {
      if (physical.source !== source) continue;
      names.push(`t.${quoteName(physical.name)}`);
      if (physical.form.kind !== 'scale') forms.push(physical.form);
    }
  }
  return { list: names.length > 0 ? names.join(', ') : '1', forms };
}

function seriesConditions(name: string, series: Int32Array | null, parameters: ParameterList): string[] {
  if (series === null) return [];
  if (series.length === 0) return ['false'];
  if (series.length === 1) return [`${name} = ${int32(parameters, series[0])}`];
  const list = [...series];
  const between = `${name} BETWEEN ${int32(parameters, least(list))} AND ${int32(parameters, greatest(list))}`;
  if (series.length > listedSeriesMax) {
    const text = parameters.add({ type: 'text', value: list.join(',') });
    return [between, `${name} IN (SELECT unnest(string_split(${text}, ',')::INTEGER[]))`];
  }
  const values = list.map((one) => int32(parameters, one));
  return [between, `${name} IN (${values.join(', ')})`];
}

function timeConditions(
  roles: QuotedRoles,
  request: Pick<ScanRequest, 'fromNs' | 'toNs' | 'after' | 'order'>,
  parameters: ParameterList,
): string[] {
  const { fromNs, toNs, after, order } = request;
  const type = timeParameterType(roles.timeColumn);
  const conditions: string[] = [];
  const compare = (operator: string, value: bigint): void => {
    conditions.push(
      `${roles.time} ${operator} ${parameters.add({ type, value: clamp(value, roles.nsPerUnit) })}`,
    );
  };
  // In the column's unit u: t·u ≥ from ⇔ t ≥ ⌈from/u⌉, and t·u < to ⇔ t < ⌈to/u⌉.
  if (fromNs !== null) compare('>=', ceilDiv(fromNs, roles.nsPerUnit));
  if (toNs !== null) compare('<', ceilDiv(toNs, roles.nsPerUnit));
  if (after === null) return conditions;
  if (after.timeNs % roles.nsPerUnit !== 0n) {
    compare(order === 'asc' ? '>=' : '<', ceilDiv(after.timeNs, roles.nsPerUnit));
    return conditions;
  }
  const at = parameters.add({ type, value: clamp(after.timeNs / roles.nsPerUnit, roles.nsPerUnit) });
  const version = parameters.add({ type: 'int64', value: after.version });
  const beyond = order === 'asc' ? '>' : '<';
  // The first comparison is implied by the second, but it is the one zone maps can use.
  conditions.push(
    `${roles.time} ${beyond}= ${at}`,
    `(${roles.time} ${beyond} ${at} OR ${roles.version} ${beyond} ${version})`,
  );
  return conditions;
}

function int32(parameters: ParameterList, value: number): string {
  return parameters.add({ type: 'int32', value });
}

const int64Max = 2n ** 63n - 1n;

/** Bounds may lie beyond any time there is; int64's extremes mean ±infinity to DuckDB, which orders them rightly. */
function clamp(value: bigint, nsPerUnit: bigint): bigint {
  const bound = int64Max / nsPerUnit;
  return value > bound ? bound : value < -bound ? -bound : value;
}

function ceilDiv(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value > quotient * divisor ? quotient + 1n : quotient;
}

function least<T extends number | bigint>(values: readonly T[]): T {
  return values.reduce((a, b) => (b < a ? b : a));
}

function greatest<T extends number | bigint>(values: readonly T[]): T {
  return values.reduce((a, b) => (b > a ? b : a));
}
