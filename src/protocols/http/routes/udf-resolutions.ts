import { parseTimeframe, type Timeframe } from '../../../market/timeframe.ts';

/** The resolutions that TradingView's library offers by itself, as it writes them. */
const usual = [
  '1S', '5S', '10S', '15S', '30S',
  '1', '3', '5', '10', '15', '30', '45', '60', '120', '180', '240', '360', '480', '720',
  '1D', '1W', '1M', '3M', '6M', '12M',
]; // biome-ignore format: by unit

const dayNs = 86_400e9;

/**
 * A resolution as a timeframe in its canonical text: minutes, or with a letter seconds, days, weeks, months; `D` alone
 * is one day. Undefined for other text.
 */
export function timeframeOf(resolution: string): string | undefined {
  const parts = /^([1-9]\d{0,3})?([SDWM]?)$/i.exec(resolution);
  if (!parts || resolution === '') return undefined;
  const unit = { S: 's', D: 'd', W: 'w', M: 'mo', '': 'm' }[parts[2].toUpperCase()];
  return parseTimeframe(`${parts[1] ?? '1'}${unit}`).text;
}

/** The inverse; undefined for timeframes that the library has no name for. */
function resolutionOf(timeframe: string): string | undefined {
  const { text, widthNs, months } = parseTimeframe(timeframe);
  if (months > 0) return `${months}M`;
  if (text.endsWith('w')) return `${Number.parseInt(text, 10)}W`;
  if (text.endsWith('d')) return `${Number.parseInt(text, 10)}D`;
  const seconds = widthNs / 1e9;
  if (seconds % 60 === 0) return String(seconds / 60);
  return Number.isInteger(seconds) ? `${seconds}S` : undefined;
}

/** What can be charted from bars of the stored timeframes: those themselves, and the usual ones they make up. */
export function resolutionsFrom(stored: readonly string[]): string[] {
  const parsed = stored.map(parseTimeframe);
  const widthOf = (resolution: string): number => parseTimeframe(timeframeOf(resolution) ?? '1y').widthNs;
  const made = usual.filter((resolution) => {
    const wanted = parseTimeframe(timeframeOf(resolution) ?? '1y');
    return parsed.some((from) => makesUp(from, wanted));
  });
  const own = stored.map(resolutionOf).filter((resolution) => resolution !== undefined);
  return [...new Set([...own, ...made])].sort((a, b) => widthOf(a) - widthOf(b));
}

/** Does every bar of `wanted` consist of whole bars of `from`? Weeks and months begin with a day. */
function makesUp(from: Timeframe, wanted: Timeframe): boolean {
  if (from.text === wanted.text) return true;
  if (from.months > 0) return wanted.months > 0 && wanted.months % from.months === 0;
  if (wanted.months > 0 || wanted.text.endsWith('w')) return dayNs % from.widthNs === 0;
  return wanted.widthNs % from.widthNs === 0;
}
