import { encodeJsonColumns } from '../../../codecs/encode/encode-json.ts';
import type { TimeFormat } from '../../../codecs/encode/time-text.ts';
import type { BusEvent } from '../../../engine/database.ts';
import type { ColumnSet } from '../../../market/columns.ts';
import type { WireEvent } from '../wire.ts';

/** Rows as text by time format: clients that get the same rows share it. */
const texts = new WeakMap<ColumnSet, Partial<Record<TimeFormat, string>>>();

/** An event as it is sent to the subscription `id`. */
export function eventText(id: string, event: BusEvent, time: TimeFormat): string {
  if (event.type === 'lagged') {
    return JSON.stringify({ type: 'lagged', id, dropped: event.dropped } satisfies WireEvent);
  }
  const { type, rows } = event;
  const head = `{"type":"${type}","id":${JSON.stringify(id)},"rowCount":${rows.rowCount}`;
  return `${head},"columns":${rowsText(rows, time)}}`;
}

function rowsText(rows: ColumnSet, time: TimeFormat): string {
  const byFormat = texts.get(rows) ?? {};
  texts.set(rows, byFormat);
  byFormat[time] ??= [...encodeJsonColumns(rows, time)].join('');
  return byFormat[time];
}
