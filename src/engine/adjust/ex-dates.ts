/** Which date a time belongs to, for the sake of ex dates: that of its session, else of the market's local day. */
import type { Bucketing } from '../../market/bucketing.ts';
import type { Calendar } from '../../market/calendar/calendar.ts';
import { localDay, localToMs } from '../../market/calendar/zone.ts';
import type { RollupEntry, RowsEntry } from '../catalog/catalog.ts';
import type { EngineState } from '../engine-state.ts';

const dayNs = 86_400e9;

/** Dates of a market. Times are ns as exact doubles, dates days since 1970-01-01. */
export interface ExDates {
  /** The date of a tick or of a bar that starts then. */
  dateOf(t: number): number;
  /** When a date begins: at midnight, or at the open of its first session where that is earlier. */
  startOf(date: number): number;
}

/** Dates of the sessions or zone; of UTC where there are none. */
export function exDatesOf(sessions: Calendar | null): ExDates {
  if (!sessions) return { dateOf: (t) => Math.floor(t / dayNs), startOf: (date) => date * dayNs };
  return {
    dateOf: (t) => sessions.sessionOf(t)?.date ?? localDay(sessions.zone, Math.floor(t / 1e6)),
    startOf: (date) => {
      const midnight = localToMs(sessions.zone, date, 0) * 1e6;
      return Math.min(midnight, sessions.sessionsOn(date)[0]?.open ?? midnight);
    },
  };
}

/** The sessions of a table's bars: of a calendar rather than a zone, of a zone rather than UTC, of those made first. */
export function sessionsOfTable(state: EngineState, ticks: RowsEntry): Calendar | null {
  const rank = ({ node }: RollupEntry): number => {
    const { sessions, options } = node.plan.bucketing;
    return !sessions ? 2 : options.calendar === undefined ? 1 : 0;
  };
  const [first] = state.catalog.rollupsOf(ticks).sort((a, b) => rank(a) - rank(b) || a.id - b.id);
  return first?.node.plan.bucketing.sessions ?? null;
}

/** Is there a bucket that holds the time before a date as well as the date itself? */
export function crosses(bucketing: Bucketing, dates: ExDates, date: number): boolean {
  return dates.dateOf(bucketing.bucketOf(dates.startOf(date)).start) < date;
}
