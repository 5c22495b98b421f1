/**
 * Makes the calendars that ship, `src/market/calendar/data/*.ts`, from facts: lists of sessions in UTC, and for the
 * years after those of the New York list its holidays and early closes.
 *
 *     npm run calendars -- <folder with xshg.csv.gz, …>      default ../shared/data/calendars
 *
 * The regular week is written down here; every date whose sessions differ from it becomes a holiday or a special day.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { CalendarDef } from '../src/market/calendar/calendar-def.ts';

interface Market {
  name: string;
  timeZone: string;
  earlyMinutes: number;
  lateMinutes: number;
  regular: { from?: string; sessions: string[] }[];
}

const markets: Market[] = [
  {
    name: 'XSHG',
    timeZone: 'Asia/Shanghai',
    // Opening auction 09:15 to 09:25; the last trades of the closing auction are stamped seconds after 15:00.
    earlyMinutes: 15,
    lateMinutes: 1,
    regular: [{ sessions: ['09:30/11:30', '13:00/15:00'] }],
  },
  {
    name: 'XHKG',
    timeZone: 'Asia/Hong_Kong',
    // Pre-opening session from half an hour before, closing auction until ten minutes after.
    earlyMinutes: 30,
    lateMinutes: 10,
    regular: [
      { sessions: ['10:00/12:00', '13:00/16:00'] },
      { from: '2011-03-07', sessions: ['09:30/12:00', '13:00/16:00'] },
    ],
  },
  {
    name: 'XNYS',
    timeZone: 'America/New_York',
    // Trading before and after hours is a market of its own, so nothing outside the session is taken.
    earlyMinutes: 0,
    lateMinutes: 0,
    regular: [{ sessions: ['09:30/16:00'] }],
  },
  {
    name: 'CMES',
    timeZone: 'America/Chicago',
    earlyMinutes: 0,
    lateMinutes: 0,
    regular: [{ sessions: ['-1 17:00/17:00'] }],
  },
];

const weekdays = 'mon tue wed thu fri';
const dayMs = 86_400_000;
const lineWidth = 96;

/** Sessions of every date in the list, as a calendar writes them. */
function readSessions(folder: string, market: Market): Map<string, string[]> {
  const text = gunzipSync(readFileSync(join(folder, `${market.name.toLowerCase()}.csv.gz`))).toString();
  const found = new Map<string, string[]>();
  for (const line of text.trim().split('\n').slice(1)) {
    const [session, open, close, breakStart, breakEnd] = line.split(',');
    const date = session.slice(0, 10);
    const local = (utc: string): string => localTime(market.timeZone, date, utc);
    const pairs =
      breakStart === ''
        ? [[open, close]]
        : [
            [open, breakStart],
            [breakEnd, close],
          ];
    found.set(
      date,
      pairs.map(([from, to]) => `${local(from)}/${local(to)}`),
    );
  }
  return found;
}

function localTime(timeZone: string, date: string, utc: string): string {
  // The Swedish way to write a date and a time is ISO 8601's.
  const [day, time] = new Date(utc).toLocaleString('sv-SE', { timeZone }).split(' ');
  const days = (Date.parse(day) - Date.parse(date)) / dayMs;
  return `${days === 0 ? '' : `${days > 0 ? '+' : ''}${days} `}${time.slice(0, 5)}`;
}

/** New York after the list of sessions ends, to the end of 2027: holidays and early closes are listed by date. */
function extendNewYork(folder: string, sessions: Map<string, string[]>): void {
  const text = gunzipSync(readFileSync(join(folder, 'lean_market_hours_database.json.gz'))).toString();
  const { holidays, earlyCloses } = JSON.parse(text).entries['Equity-usa-[*]'] as {
    holidays: string[];
    earlyCloses: Record<string, string>;
  };
  const closed = new Set(holidays.map(isoDate));
  const early = new Map(Object.entries(earlyCloses).map(([date, time]) => [isoDate(date), time.slice(0, 5)]));
  const last = [...sessions.keys()].at(-1) ?? '';
  for (const date of datesBetween(last, '2027-12-31').slice(1)) {
    if (isWeekday(date) && !closed.has(date)) sessions.set(date, [`09:30/${early.get(date) ?? '16:00'}`]);
  }
}

function isoDate(monthFirst: string): string {
  const [month, day, year] = monthFirst.split('/');
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
}

function datesBetween(from: string, to: string): string[] {
  const dates: string[] = [];
  for (let ms = Date.parse(from); ms <= Date.parse(to); ms += dayMs)
    dates.push(new Date(ms).toISOString().slice(0, 10));
  return dates;
}

function isWeekday(date: string): boolean {
  return ![0, 6].includes(new Date(date).getUTCDay());
}

function calendarOf(market: Market, sessions: Map<string, string[]>): CalendarDef {
  const dates = [...sessions.keys()].sort();
  const [from, to] = [dates[0], dates[dates.length - 1]];
  const holidays: string[] = [];
  const special = new Map<string, string[]>();
  for (const date of datesBetween(from, to)) {
    const rule = market.regular.findLast((candidate) => (candidate.from ?? '') <= date);
    const regular = isWeekday(date) ? (rule?.sessions ?? []) : [];
    const actual = sessions.get(date) ?? [];
    if (String(actual) === String(regular)) continue;
    if (actual.length === 0) holidays.push(date);
    else special.set(actual.join(', '), [...(special.get(actual.join(', ')) ?? []), date]);
  }
  return {
    ...market,
    from,
    to,
    regular: market.regular.map((rule) => ({ ...rule, days: weekdays })),
    holidays: datesByYear(holidays),
    special: [...special].map(([text, days]) => ({ sessions: text.split(', '), dates: datesByYear(days) })),
  };
}

/** Lines of a year and the dates in it. */
function datesByYear(dates: readonly string[]): string[] {
  const lines: string[] = [];
  for (const date of dates) {
    const [year, rest] = [date.slice(0, 4), date.slice(5)];
    const last = lines.at(-1);
    if (last?.startsWith(year) && last.length + rest.length < lineWidth)
      lines[lines.length - 1] += ` ${rest}`;
    else lines.push(`${year} ${rest}`);
  }
  return lines;
}

function writeModule(target: string, def: CalendarDef): void {
  const constant = def.name.toLowerCase();
  const file = join(target, `${constant}.ts`);
  const text = [
    '/** Made by scripts/make-calendars.ts from lists of sessions: do not edit. */',
    "import type { CalendarDef } from '../calendar-def.ts';",
    '',
    `/** Sessions of ${def.name} from ${def.from} to ${def.to}. */`,
    `export const ${constant}: CalendarDef = ${JSON.stringify(def, null, 2)};`,
  ];
  writeFileSync(file, `${text.join('\n')}\n`);
  execFileSync('npx', ['biome', 'check', '--write', file], { stdio: 'inherit' });
}

const folder = resolve(process.argv[2] ?? '../shared/data/calendars');
for (const market of markets) {
  const sessions = readSessions(folder, market);
  if (market.name === 'XNYS') extendNewYork(folder, sessions);
  writeModule(resolve('src/market/calendar/data'), calendarOf(market, sessions));
}
