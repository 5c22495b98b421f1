import type { ReadRequest, SeriesFilter } from '../engine/database.ts';
import { formatTimeNs } from '../market/time.ts';

/** What a read of rows and one of bars have in common. */
export type RangeRequest = Omit<ReadRequest, 'table'> & { table: string; timeframe?: string };

/** A read as query parameters, answered in columns with every digit. */
export function rangeQuery(request: RangeRequest): URLSearchParams {
  const { table, timeframe, series = {}, fromNs, toNs, columns, order, limit, cursor, live } = request;
  const query = new URLSearchParams({ table, format: 'columns', time: 'ns' });
  const put = (name: string, value: unknown): void => {
    if (value !== undefined) query.set(name, String(value));
  };
  put('timeframe', timeframe);
  put('from', fromNs === undefined ? undefined : formatTimeNs(fromNs));
  put('to', toNs === undefined ? undefined : formatTimeNs(toNs));
  put('columns', columns?.join(','));
  put('order', order);
  put('limit', limit);
  put('cursor', cursor);
  put('live', live);
  for (const [name, values] of Object.entries(series)) put(name, listOf(values).join(','));
  return query;
}

function listOf(values: SeriesFilter[string]): readonly (string | number | bigint)[] {
  return Array.isArray(values) ? values : [values as string];
}
