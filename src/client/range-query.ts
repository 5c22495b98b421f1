import { formatDecimal } from '../codecs/decimal-text.ts';
import { CandelaError } from '../core/errors.ts';
import type { DeleteRequest, GapsRequest, ReadRequest, SeriesFilter } from '../engine/database.ts';
import type { BucketingOptions } from '../market/bucketing.ts';
import type { Scalar } from '../market/columns.ts';
import { formatTimeNs } from '../market/time.ts';

/** What a read of rows and one of bars have in common. */
export type RangeRequest = Omit<ReadRequest, 'table'> &
  BucketingOptions & { table: string; timeframe?: string };

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
  put('timeZone', request.timeZone);
  put('calendar', calendarName(request.calendar));
  put('weekStart', request.weekStart);
  put('stamp', request.stamp);
  put('gaps', request.gaps);
  put('flags', request.flags);
  put('adjust', request.adjust);
  for (const [name, values] of Object.entries(series)) put(name, listOf(values).join(','));
  return query;
}

/** A gap report as query parameters; the table is in the path. */
export function gapsQuery(request: GapsRequest): URLSearchParams {
  const { bucketsMin, ...range } = request;
  const query = rangeQuery(range);
  query.delete('table');
  if (bucketsMin !== undefined) query.set('min', String(bucketsMin));
  return query;
}

/** A range of time as query parameters. */
export function timesQuery({ fromNs, toNs }: { fromNs?: bigint; toNs?: bigint }): URLSearchParams {
  const query = new URLSearchParams();
  if (fromNs !== undefined) query.set('from', formatTimeNs(fromNs));
  if (toNs !== undefined) query.set('to', formatTimeNs(toNs));
  return query;
}

/** Which rows to delete, as query parameters. */
export function deleteQuery({ series = {}, where, ...times }: DeleteRequest): URLSearchParams {
  const query = timesQuery(times);
  for (const [name, values] of Object.entries(series)) query.set(name, listOf(values).join(','));
  const members = Object.entries(where ?? {}).map(
    ([name, value]) => `${JSON.stringify(name)}:${jsonOf(value)}`,
  );
  if (members.length > 0) query.set('where', `{${members.join(',')}}`);
  if (query.size === 0) query.set('all', 'true');
  return query;
}

/** A value as the server reads it from JSON, with every digit. */
function jsonOf(value: Scalar): string {
  if (typeof value === 'bigint') return `"${value}"`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `"${formatDecimal(value.coefficient, value.scale)}"`;
}

function calendarName(calendar: BucketingOptions['calendar']): string | undefined {
  if (typeof calendar !== 'object') return calendar;
  throw new CandelaError(
    'UNSUPPORTED',
    `reads over HTTP take the name of a calendar, not '${calendar.name}' itself`,
    {
      help: 'Create a rollup with the calendar and read that.',
    },
  );
}

function listOf(values: SeriesFilter[string]): readonly (string | number | bigint)[] {
  return Array.isArray(values) ? values : [values as string];
}
