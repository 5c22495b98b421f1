/** What stands behind the name of a view of ticks or bars, as of the transaction that asks. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { must } from '../../../../core/assert.ts';
import type { StoredTable, StoredView } from '../../../storage.ts';
import { layoutOf, type TableLayout } from '../../catalog.ts';
import { readColdFiles } from '../../cold/cold-files.ts';
import { quoteName } from '../../sql-text.ts';
import { makeTime, timeParameterType } from '../../statements.ts';

/** A view whose rows have a series and a time. */
export interface SeriesView {
  view: StoredView;
  tables: TableLayout[];
  dictionary: TableLayout;
  /** Names of all columns in lower case. */
  columns: ReadonlySet<string>;
  /** The time column's name in the view. */
  time: string;
  /** The view's names of all the dictionary's key columns, in their order there. */
  keys: string[];
  unit: TimeUnit;
  /** `AS name WHERE condition`, with which a subquery leaves out rows of the view; null if it leaves out none. */
  filter: string | null;
}

/** How the time column's values become integers and back. */
export interface TimeUnit {
  sqlType: string;
  /** Functions of SQL. */
  toInteger: string;
  fromInteger: string;
}

/** Reads the view of that name (lower case). Undefined if there is none, or its rows have no series or no time. */
export async function readSeriesView(
  connection: DuckDBConnection,
  name: string,
): Promise<SeriesView | undefined> {
  const [definition] = await definitions(connection, 'views', `lower(name) = lower($1)`, [name]);
  if (!definition) return undefined;
  const view = JSON.parse(definition) as StoredView;
  if (view.seriesTable === null) return undefined;
  const ids = [...view.tables, view.seriesTable];
  const found = await definitions(connection, 'tables', `id IN (${ids.join(', ')})`, []);
  const cold = await readColdFiles(connection);
  const layouts = found.map((text) => layoutOf(JSON.parse(text) as StoredTable, cold));
  const layout = (id: number): TableLayout =>
    must(
      layouts.find((table) => table.id === id),
      `table ${id}`,
    );
  return seriesView(view, view.tables.map(layout), layout(view.seriesTable));
}

async function definitions(
  connection: DuckDBConnection,
  table: string,
  condition: string,
  values: string[],
): Promise<string[]> {
  const sql = `SELECT definition FROM candela.${table} WHERE ${condition}`;
  const reader = await connection.runAndReadAll(sql, values);
  return reader.getRows().map(([text]) => String(text));
}

function seriesView(
  view: StoredView,
  tables: TableLayout[],
  dictionary: TableLayout,
): SeriesView | undefined {
  const times = tables.map(({ roles }) => roles?.time);
  const [table] = tables;
  const { time } = table.roles ?? {};
  if (time === undefined || times.some((other) => other !== time)) return undefined;
  const shown = view.columns.find(({ source }) => source.from === 'row' && source.column === time);
  const keys = dictionary.columns
    .slice(1)
    .map(
      ({ name }) =>
        view.columns.find(({ source }) => source.from === 'series' && source.column === name)?.name,
    );
  if (!shown || keys.includes(undefined)) return undefined;
  return {
    view,
    tables,
    dictionary,
    columns: new Set(view.columns.map(({ name }) => name.toLowerCase())),
    time: shown.name,
    keys: keys as string[],
    unit: timeUnit(table, time),
    filter: null,
  };
}

function timeUnit(table: TableLayout, name: string): TimeUnit {
  const column = must(
    table.physical.find((one) => one.name === name),
    `column ${name}`,
  );
  const type = timeParameterType(column);
  return {
    sqlType: column.sqlType,
    toInteger: type === 'timestamp-ns' ? 'epoch_ns' : 'epoch_us',
    fromInteger: makeTime[type],
  };
}

/** The physical name of a role's column of a row `r`. */
export function roleSql({ tables }: SeriesView, role: 'series' | 'time' | 'version'): string {
  return `r.${quoteName(must(tables[0].roles, 'roles of a table with series')[role])}`;
}
