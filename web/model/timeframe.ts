/** Timeframe names as the server writes them: a count and a unit. */

const unitMs: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  mo: 2_629_746_000,
  y: 12 * 2_629_746_000,
};

/** A day; from here on bars are dated, not timed. */
export const dayMs = 86_400_000;

/** Length in milliseconds (months and years: their mean); NaN for a name that is not a timeframe. */
export function timeframeMs(text: string): number {
  const parts = /^(\d+)(ms|s|m|h|d|w|mo|y)$/.exec(text);
  return parts ? Number(parts[1]) * unitMs[parts[2]] : Number.NaN;
}

/** Shortest first; names that are not timeframes are left out. */
export function sortedTimeframes(timeframes: readonly string[]): string[] {
  return timeframes.filter((text) => timeframeMs(text) > 0).sort((a, b) => timeframeMs(a) - timeframeMs(b));
}

/** The one asked for if it exists, else one minute, else the shortest. Undefined if there are none. */
export function chooseTimeframe(
  timeframes: readonly string[],
  wanted: string | undefined,
): string | undefined {
  if (wanted && timeframes.includes(wanted)) return wanted;
  return timeframes.includes('1m') ? '1m' : sortedTimeframes(timeframes).at(0);
}

/** The next shorter one, down to a second; undefined if there is none. */
export function shorterTimeframe(timeframes: readonly string[], than: string): string | undefined {
  return sortedTimeframes(timeframes).findLast(
    (text) => timeframeMs(text) < timeframeMs(than) && timeframeMs(text) >= 1000,
  );
}

/**
 * Where the watch list reads last price and day's open from: the day bars if they are stored, else the longest
 * timeframe there is (its change then counts from the first bar known).
 */
export function watchTimeframe(timeframes: readonly string[]): string | undefined {
  return timeframes.includes('1d') ? '1d' : sortedTimeframes(timeframes).at(-1);
}
