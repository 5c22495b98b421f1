/** Markets and time zones that random rollups follow: as the naive oracle takes them, and as the engine does. */
import type { BucketingOptions } from '../../src/market/bucketing.ts';
import { weekdayNames } from '../../src/market/calendar/calendar-def.ts';
import type { NaiveMarket } from '../../src/testing/naive-sessions.ts';

/** One market, told in both ways. */
export interface RandomMarket {
  options: BucketingOptions;
  market: NaiveMarket;
}

const everyDay = [0, 1, 2, 3, 4, 5, 6];
const workdays = [1, 2, 3, 4, 5];

/** All that are tried: zones with and without changes of the clocks; breaks, nights, auctions, holidays, all week. */
export const markets: readonly RandomMarket[] = [
  zone('America/New_York'),
  zone('Europe/London'),
  zone('Asia/Kolkata'),
  calendar('breaks', {
    timeZone: 'Asia/Shanghai',
    weekly: [{ weekdays: workdays, sessions: [[570, 690], [780, 900]] }], // biome-ignore format: pairs
    holidays: ['2023-11-15', '2024-02-28', '2024-02-29'],
    earlyMinutes: 15,
    lateMinutes: 1,
  }),
  calendar('nights', {
    timeZone: 'America/Chicago',
    weekly: [
      { weekdays: [2, 3, 4, 5], sessions: [[-420, 960]] },
      { weekdays: [1], sessions: [[-420, 915], [930, 960]] },
    ], // biome-ignore format: pairs
    holidays: ['2023-11-23'],
    earlyMinutes: 0,
    lateMinutes: 0,
  }),
  calendar('over midnight', {
    timeZone: 'Europe/Berlin',
    weekly: [{ weekdays: everyDay, sessions: [[1200, 1590]] }],
    holidays: [],
    earlyMinutes: 90,
    lateMinutes: 720,
  }),
];

function zone(timeZone: string): RandomMarket {
  const weekly = [{ weekdays: everyDay, sessions: [[0, 1440] as const] }];
  return {
    options: { timeZone },
    market: { timeZone, weekly, holidays: [], earlyMinutes: 0, lateMinutes: 0 },
  };
}

function calendar(name: string, market: NaiveMarket): RandomMarket {
  const { timeZone, weekly, holidays, earlyMinutes, lateMinutes } = market;
  const regular = weekly.map(({ weekdays, sessions }) => ({
    days: weekdays.map((day) => weekdayNames[day]).join(' '),
    sessions: sessions.map(([open, close]) => `${localTime(open)}/${localTime(close)}`),
  }));
  const lines = holidays.map((date) => `${date.slice(0, 4)} ${date.slice(5)}`);
  const def = { name, timeZone, from: '1970-01-01', to: '2099-12-31', earlyMinutes, lateMinutes, regular };
  return { options: { calendar: { ...def, holidays: lines, special: [] } }, market };
}

/** Minutes past midnight as calendars write them: `09:30`, `-1 17:00`. */
function localTime(minutes: number): string {
  const days = Math.floor(minutes / 1440);
  const rest = minutes - days * 1440;
  const time = `${String(Math.floor(rest / 60)).padStart(2, '0')}:${String(rest % 60).padStart(2, '0')}`;
  if (days === 0) return time;
  return `${days > 0 ? '+' : ''}${days} ${time}`;
}
