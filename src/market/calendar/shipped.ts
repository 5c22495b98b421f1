/** The calendars that ship, by name: data made from lists of sessions, see scripts/make-calendars.ts. */
import { CandelaError } from '../../core/errors.ts';
import type { CalendarDef } from './calendar-def.ts';
import { cmes } from './data/cmes.ts';
import { xhkg } from './data/xhkg.ts';
import { xnys } from './data/xnys.ts';
import { xshg } from './data/xshg.ts';

/** Around the clock, in UTC: each day is one session. */
const aroundTheClock: CalendarDef = {
  name: '24x7',
  timeZone: 'UTC',
  from: '1970-01-01',
  to: '2262-01-01',
  regular: [{ days: 'mon tue wed thu fri sat sun', sessions: ['00:00/+1 00:00'] }],
  holidays: [],
  special: [],
};

const shipped = new Map([xshg, xhkg, xnys, cmes, aroundTheClock].map((def) => [def.name, def]));

/** The calendar of that name. Throws `INVALID_ARGUMENT` that lists the names there are. */
export function shippedCalendar(name: string): CalendarDef {
  const def = shipped.get(name);
  if (def) return def;
  throw new CandelaError('INVALID_ARGUMENT', `there is no calendar '${name}'`, {
    help: `Use one of ${[...shipped.keys()].join(', ')}, or give a calendar of your own (docs/calendars.md).`,
  });
}
