import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { hasSharedData, sharedDataPath } from '../../../test/support/shared-data.ts';
import { createCalendar } from './calendar.ts';
import { shippedCalendar } from './shipped.ts';

const dayMs = 86_400_000;

/** Sessions as the list of an independent project has them: date → [open, close] pairs in ISO. */
function listed(name: string): Map<string, string[][]> {
  const text = gunzipSync(readFileSync(sharedDataPath(`calendars/${name.toLowerCase()}.csv.gz`))).toString();
  const rows = text.trim().split('\n').slice(1);
  return new Map(
    rows.map((row) => {
      const [session, open, close, breakStart, breakEnd] = row.split(',');
      return [
        session.slice(0, 10),
        breakStart
          ? [
              [open, breakStart],
              [breakEnd, close],
            ]
          : [[open, close]],
      ];
    }),
  );
}

function iso(ns: number): string {
  return new Date(ns / 1e6).toISOString().replace('.000Z', 'Z');
}

describe.skipIf(!hasSharedData)('shipped calendars against every session listed', () => {
  it.each([
    ['XSHG', 8_809],
    ['XHKG', 8_803],
    ['XNYS', 8_324],
    ['CMES', 9_682],
  ])('%s: opens, closes and breaks of %d sessions, and no session besides', (name, count) => {
    const expected = listed(name);
    expect(expected.size).toBe(count);
    const dates = [...expected.keys()];
    const calendar = createCalendar(shippedCalendar(name));
    const wrong: string[] = [];
    for (let ms = Date.parse(dates[0]); ms <= Date.parse(dates[count - 1]); ms += dayMs) {
      const date = new Date(ms).toISOString().slice(0, 10);
      const sessions = calendar.sessionsOn(ms / dayMs).map(({ open, close }) => [iso(open), iso(close)]);
      if (String(sessions) !== String(expected.get(date) ?? [])) wrong.push(`${date} ${String(sessions)}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe('outside the dates a calendar covers', () => {
  it('goes on with the regular week', () => {
    const calendar = createCalendar(shippedCalendar('XSHG'));
    const newYear2030 = Date.UTC(2030, 0, 1) / dayMs;
    expect(calendar.sessionsOn(newYear2030).map(({ open }) => iso(open))).toEqual([
      '2030-01-01T01:30:00Z',
      '2030-01-01T05:00:00Z',
    ]);
    expect(calendar.sessionsOn(newYear2030 + 4)).toEqual([]);
  });

  it('knows holidays and early closes of New York to the end of 2027', () => {
    const calendar = createCalendar(shippedCalendar('XNYS'));
    const on = (text: string): string[] =>
      calendar.sessionsOn(Date.parse(text) / dayMs).map(({ close }) => iso(close));
    expect(on('2025-01-09')).toEqual([]);
    expect(on('2026-07-03')).toEqual([]);
    expect(on('2026-11-27')).toEqual(['2026-11-27T18:00:00Z']);
    expect(on('2027-06-21')).toEqual(['2027-06-21T20:00:00Z']);
  });
});

describe('shippedCalendar', () => {
  it('names the calendars there are when asked for another', () => {
    expect(() => shippedCalendar('XLON')).toThrow("there is no calendar 'XLON'");
  });
});
