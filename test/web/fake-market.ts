/**
 * A market made of arithmetic: the price of any symbol at any time is a pure function, so every bar of every
 * timeframe can be computed at will and is the same whenever it is asked for. No state, no history to keep.
 */

/** An instrument of the fake market. */
export interface FakeSymbol {
  symbol: string;
  name: string | null;
  base: number;
  decimals: number;
}

/** A bar as the fake server sends it. */
export interface FakeBar {
  timeMs: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

/** Steps of the sum that makes the price: period in milliseconds and weight. */
const octaves: [number, number][] = [
  [40 * 86_400_000, 0.11],
  [6 * 86_400_000, 0.05],
  [86_400_000, 0.022],
  [5 * 3_600_000, 0.011],
  [3_600_000, 0.0055],
  [13 * 60_000, 0.003],
  [3 * 60_000, 0.0018],
  [40_000, 0.0009],
  [9_000, 0.0005],
  [1_700, 0.0003],
];
const samplesPerBar = 40;

/** The bar that starts at `startMs`, as far as it goes until `untilMs`. */
export function fakeBar(symbol: FakeSymbol, startMs: number, widthMs: number, untilMs: number): FakeBar {
  const endMs = Math.min(startMs + widthMs - 1, Math.max(startMs, untilMs));
  const open = fakePrice(symbol, startMs);
  const close = fakePrice(symbol, endMs);
  let high = Math.max(open, close);
  let low = Math.min(open, close);
  const stepMs = widthMs / samplesPerBar;
  for (let t = startMs; t <= endMs; t += stepMs) {
    const price = fakePrice(symbol, t);
    high = Math.max(high, price);
    low = Math.min(low, price);
  }
  const share = (endMs + 1 - startMs) / widthMs;
  const busy = 0.4 + 1.2 * hashed(hashOf(symbol.symbol) ^ 0x51ed, startMs / widthMs);
  const volume = Math.round((busy * share * widthMs) / 25 + ((high - low) / open) * 4e5);
  return { timeMs: startMs, open, high, low, close, volume };
}

/** The price at one moment, rounded to the symbol's tick. */
export function fakePrice({ symbol, base, decimals }: FakeSymbol, timeMs: number): number {
  const seed = hashOf(symbol);
  let sum = 0;
  for (const [octave, [periodMs, weight]] of octaves.entries()) {
    sum += weight * noise(seed + octave * 7919, timeMs / periodMs);
  }
  return Number((base * Math.exp(sum)).toFixed(decimals));
}

/** Smooth noise in -1…1: hashed values at whole numbers, eased between. */
function noise(seed: number, x: number): number {
  const whole = Math.floor(x);
  const part = x - whole;
  const eased = part * part * (3 - 2 * part);
  const a = hashed(seed, whole);
  return 2 * (a + (hashed(seed, whole + 1) - a) * eased) - 1;
}

/** A number in 0…1 that depends on both arguments and on nothing else. */
function hashed(seed: number, n: number): number {
  let h = Math.imul(seed ^ (n | 0), 0x9e3779b1) ^ Math.imul(Math.floor(n / 2 ** 31) + 1, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return ((h ^ (h >>> 15)) >>> 0) / 4294967296;
}

function hashOf(text: string): number {
  let hash = 2166136261;
  for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16777619);
  return hash >>> 0;
}
