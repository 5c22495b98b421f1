/** From query parameters to a series filter. */
import { CandelaError } from '../../core/errors.ts';
import type { Database, SeriesFilter, TableInfo } from '../../engine/database.ts';
import { parseTimeframe } from '../../market/timeframe.ts';

/** The table of that name. Throws `TABLE_NOT_FOUND`. */
export function tableNamed(database: Database, name: string): TableInfo {
  const table = database.table(name);
  if (table) return table;
  throw new CandelaError('TABLE_NOT_FOUND', `there is no table '${name}'`);
}

/**
 * `symbol` stands for the first key column; any other parameter named like a key column is a filter as well.
 * Parameters that are neither known to the route nor key columns are refused: a misspelt one is not passed over.
 */
export function seriesFilter(
  table: TableInfo,
  query: Record<string, unknown>,
  known: readonly string[],
): SeriesFilter {
  const filter: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(query)) {
    if (table.seriesKey.includes(name)) filter[name] = values(value);
    else if (name === 'symbol') filter[firstKey(table)] = values(value);
    else if (!known.includes(name)) {
      throw new CandelaError(
        'INVALID_ARGUMENT',
        `'${name}' is neither a parameter nor part of the series key of '${table.name}'`,
        {
          help: `Parameters: ${known.join(', ')}; series key: ${table.seriesKey.join(', ') || 'none'}.`,
        },
      );
    }
  }
  return filter;
}

/** The filter for symbols given as a list. */
export function symbolFilter(table: TableInfo, symbols: readonly string[] | undefined): SeriesFilter {
  return symbols === undefined ? {} : { [firstKey(table)]: symbols };
}

function firstKey(table: TableInfo): string {
  if (table.seriesKey.length > 0) return table.seriesKey[0];
  throw new CandelaError(
    'INVALID_ARGUMENT',
    `'${table.name}' has no series key, so there is no symbol to ask for`,
  );
}

function values(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).flatMap((text) => String(text).split(','));
}

/** A ticks table's rollups, of any depth, that group by its series key; shortest timeframe first. */
export function rollupsOf(database: Database, table: TableInfo): { info: TableInfo; timeframe: string }[] {
  const byName = new Map(database.tables().map((info) => [info.name, info]));
  const isOf = (candidate: TableInfo): boolean => {
    for (let at = candidate.rollup; at; at = byName.get(at.source)?.rollup ?? null) {
      if (at.source === table.name) return true;
    }
    return false;
  };
  return [...byName.values()]
    .filter((info) => isOf(info) && info.seriesKey.join() === table.seriesKey.join())
    .map((info) => ({ info, timeframe: info.rollup?.timeframe ?? '' }))
    .sort((a, b) => parseTimeframe(a.timeframe).widthNs - parseTimeframe(b.timeframe).widthNs);
}

/** The timeframes of {@link rollupsOf}. */
export function timeframesOf(database: Database, table: TableInfo): string[] {
  return rollupsOf(database, table).map(({ timeframe }) => timeframe);
}
