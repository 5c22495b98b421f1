import type { StoredView, ViewSource } from '../storage.ts';
import type { Layouts, TableLayout } from './catalog.ts';
import { mustLayout } from './catalog.ts';
import { relationSql } from './cold/cold-files.ts';
import { quoteName, quoteText, tableName } from './sql-text.ts';

/**
 * SQL that creates or replaces the view, a UNION ALL over its tables, each joined with its dictionary, and records its
 * definition.
 */
export function viewSql(view: StoredView, layouts: Layouts): string {
  const dictionary = view.seriesTable === null ? null : mustLayout(layouts, view.seriesTable);
  const selects = view.tables.map((id) => selectSql(view, mustLayout(layouts, id), dictionary));
  return (
    `CREATE OR REPLACE VIEW main.${quoteName(view.name)} AS ${selects.join(' UNION ALL ')}; ` +
    `${forgetSql(view.name)}; INSERT INTO candela.views VALUES (${quoteText(view.name)}, ` +
    `${quoteText(JSON.stringify(view))})`
  );
}

/** SQL that drops the view and its record. */
export function dropViewSql(name: string): string {
  return `DROP VIEW main.${quoteName(name)}; ${forgetSql(name)}`;
}

function forgetSql(name: string): string {
  return `DELETE FROM candela.views WHERE name = ${quoteText(name)}`;
}

/**
 * A view's columns of one of its tables, with `more` columns after them. Rows of the table are `r`, those of the
 * dictionary `s`; joins and conditions can be written after it.
 */
export function selectSql(
  view: StoredView,
  table: TableLayout,
  dictionary: TableLayout | null,
  more: readonly string[] = [],
): string {
  const own = view.columns.map(({ name, source }) => `${sourceSql(source)} AS ${quoteName(name)}`);
  const from = `SELECT ${[...own, ...more].join(', ')} FROM ${relationSql(table)} r`;
  if (!dictionary) return from;
  const series = quoteName(table.columns[0].name);
  const key = quoteName(dictionary.columns[0].name);
  return `${from} JOIN ${tableName(dictionary.id)} s ON r.${series} = s.${key}`;
}

function sourceSql(source: ViewSource): string {
  switch (source.from) {
    case 'row':
      return `r.${quoteName(source.column)}`;
    case 'series':
      return `s.${quoteName(source.column)}`;
    case 'ratio':
      return `(${sumSql(source.numerator)} / nullif(${sumSql(source.denominator)}, 0))`;
    case 'sum':
      return sumSql(source.terms);
  }
}

function sumSql(terms: readonly string[]): string {
  return `(${terms.map((term) => `r.${quoteName(term)}::DOUBLE`).join(' + ')})`;
}
