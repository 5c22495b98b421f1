/**
 * Time zones: how far local clocks are ahead of UTC, out of the time zone data that the runtime carries (`Intl`).
 *
 * Times are milliseconds since the epoch; a local day is a number, 0 being 1970-01-01. Before 1970 a zone keeps the
 * offset it had on that day: the time zone database does not vouch for what lies before, and so every boundary is a
 * whole second. At the most one change of the clocks is looked for in one UTC day, which is more than any zone has.
 */
import { CandelaError } from '../../core/errors.ts';

/** Milliseconds of a day of 24 hours. */
export const dayMs = 86_400_000;

/** A time zone; see `zoneNamed`. */
export interface Zone {
  /** Canonical name, e.g. `America/New_York`. */
  name: string;
  /** How far local clocks are ahead of UTC at a time. */
  offsetAt(ms: number): number;
  /** The change of the clocks on the UTC day of a time, the one before or the one after; undefined without any. */
  changeNear(ms: number): number | undefined;
  /** Every offset that the zone has had or will have from 1970 to 2100. */
  offsets(): readonly number[];
}

/** One UTC day: the offset at its start and, from `at` on, another. */
interface DayOffsets {
  before: number;
  after: number;
  at: number;
}

const zones = new Map<string, Zone>();
const knownDaysMax = 20_000;
const sampledToMs = Date.UTC(2100, 0);

/** The zone of an IANA name. Throws `INVALID_ARGUMENT` for one that nobody knows. */
export function zoneNamed(name: string): Zone {
  const known = zones.get(name);
  if (known) return known;
  const zone = createZone(zoneFormat(name));
  zones.set(name, zone);
  return zone;
}

/** The local day that a time falls in. */
export function localDay(zone: Zone, ms: number): number {
  return Math.floor((ms + zone.offsetAt(ms)) / dayMs);
}

/**
 * The first moment at which local clocks show `minutes` past midnight of a local day, or more: `minutes` may be
 * negative or above 1440, which is the day before or after. A time that daylight saving skips is the moment of
 * the change; of one that happens twice the first.
 */
export function localToMs(zone: Zone, day: number, minutes: number): number {
  const wall = day * dayMs + minutes * 60_000;
  const before = zone.offsetAt(wall - dayMs);
  const after = zone.offsetAt(wall + dayMs);
  const change = before === after ? undefined : zone.changeNear(wall);
  if (change === undefined || wall - before < change) return wall - before;
  return Math.max(wall - after, change);
}

function createZone(format: Intl.DateTimeFormat): Zone {
  const days = new Map<number, DayOffsets>();
  const dayOf = (ms: number): DayOffsets => {
    const day = Math.floor(ms / dayMs);
    const known = days.get(day);
    if (known) return known;
    if (days.size >= knownDaysMax) days.clear();
    const found = offsetsOfDay(format, day * dayMs);
    days.set(day, found);
    return found;
  };
  let sampled: number[] | undefined;
  return {
    name: format.resolvedOptions().timeZone,
    offsetAt: (ms) => {
      const { before, after, at } = dayOf(ms);
      return ms < at ? before : after;
    },
    changeNear: (ms) =>
      [-1, 0, 1].map((step) => dayOf(ms + step * dayMs)).find(({ before, after }) => before !== after)?.at,
    offsets: () => {
      sampled ??= sampleOffsets(format);
      return sampled;
    },
  };
}

function offsetsOfDay(format: Intl.DateTimeFormat, startMs: number): DayOffsets {
  const before = rawOffset(format, startMs);
  const after = rawOffset(format, startMs + dayMs);
  if (before === after) return { before, after, at: startMs };
  let low = startMs / 1000;
  let high = low + dayMs / 1000;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (rawOffset(format, middle * 1000) === before) low = middle;
    else high = middle;
  }
  return { before, after, at: high * 1000 };
}

/** Weekly samples: no zone changes its clocks and back again within a week. */
function sampleOffsets(format: Intl.DateTimeFormat): number[] {
  const found = new Set<number>();
  for (let ms = 0; ms < sampledToMs; ms += 7 * dayMs) found.add(rawOffset(format, ms));
  return [...found];
}

function rawOffset(format: Intl.DateTimeFormat, ms: number): number {
  const at = Math.max(ms, 0);
  const field: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(at)) field[type] = Number(value);
  return Date.UTC(field.year, field.month - 1, field.day, field.hour, field.minute, field.second) - at;
}

function zoneFormat(timeZone: string): Intl.DateTimeFormat {
  const numeric = 'numeric' as const;
  const fields = {
    year: numeric,
    month: numeric,
    day: numeric,
    hour: numeric,
    minute: numeric,
    second: numeric,
  };
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...fields });
  } catch (cause) {
    throw new CandelaError('INVALID_ARGUMENT', `'${timeZone}' is not a time zone`, {
      help: 'Use an IANA name such as America/New_York, Asia/Shanghai or UTC.',
      cause,
    });
  }
}
