/** How numbers are written. Nobody tells the page an instrument's tick size: it is read off the prices. */

/** Most decimals ever shown. */
const decimalsMax = 12;
/** Fewer digits than a double carries, so that 0.1 + 0.2 counts as 0.3. */
const digitsTrusted = 12;
/** A price with more significant digits than this was computed, not quoted … */
const digitsQuotedMax = 10;
/** … and is shown with this many. */
const digitsComputed = 6;

/**
 * Decimals that show each of `prices` in full: at least 2, and as many as the finest price has. Prices that come out
 * of a computation (more significant digits than any exchange quotes) count with six significant digits.
 *
 * `[189.5, 189.52]` → 2 · `[0.0014, 0.00139]` → 5 · `[0.00001234]` → 8 · `[1.0823]` → 4 · `[2 / 3]` → 6
 */
export function priceDecimals(prices: Iterable<number>): number {
  let decimals = 2;
  for (const price of prices) decimals = Math.max(decimals, decimalsOf(price));
  return decimals;
}

function decimalsOf(price: number): number {
  if (!Number.isFinite(price) || price === 0) return 0;
  const [digits, exponent] = Math.abs(price)
    .toExponential(digitsTrusted - 1)
    .split('e');
  const significant = digits.replace('.', '').replace(/0+$/, '').length;
  const shown = significant > digitsQuotedMax ? digitsComputed : significant;
  return Math.min(decimalsMax, Math.max(0, shown - 1 - Number(exponent)));
}

const priceFormats = new Map<number, Intl.NumberFormat>();

/** `67,123.50`: grouped thousands, exactly `decimals` decimals. */
export function formatPrice(price: number, decimals: number): string {
  let format = priceFormats.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat('en-US', {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
    priceFormats.set(decimals, format);
  }
  return format.format(price).replace('-', '−');
}

const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 4 });
const small = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });

/** `1.234M`, `12.5K`, `812`, `0.0342`: four significant digits, whatever the size. */
export function formatVolume(volume: number): string {
  return (Math.abs(volume) < 1000 ? small : compact).format(volume);
}

/** `+0.52%`; the sign is a real minus. Null (nothing to compare with) gives an empty string. */
export function formatPercent(fraction: number | null): string {
  if (fraction === null) return '';
  // Rounded first: less than half a hundredth has no sign.
  const percent = Math.round(fraction * 1e4) / 100;
  return signed(percent, `${Math.abs(percent).toFixed(2)}%`);
}

/** `+1.20` or `−0.35`, in `decimals`. */
export function formatChange(change: number, decimals: number): string {
  return signed(change, formatPrice(Math.abs(change), decimals));
}

function signed(value: number, text: string): string {
  if (value > 0) return `+${text}`;
  return value < 0 ? `−${text}` : text;
}

/** `512 B`, `12.3 kB`, `4.5 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
