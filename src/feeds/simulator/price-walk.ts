/**
 * One instrument's seeded random walk: the logarithm of the price takes normal steps sized by the time between ticks
 * and is pulled back towards the start, so that a simulator left alone for weeks still shows plausible prices.
 * The same seed and symbol give the same prices at the same mean rate, whatever the machine's timing.
 */
import { createPrng, type Prng } from '../../core/prng.ts';
import type { Instrument } from './universe.ts';

const yearSeconds = 365 * 86_400;
const dayMs = 86_400_000;
/** Time over which the pull takes back most of a deviation. */
const returnSeconds = 4 * 3600;

/** A price event as Twelve Data shapes it, with our exchange name in place of a real one. */
export interface PriceMessage {
  event: 'price';
  symbol: string;
  timestamp: number;
  price: number;
  [field: string]: unknown;
}

/** See the head of this file. */
export class PriceWalk {
  readonly instrument: Instrument;
  readonly prng: Prng;
  #logDeviation = 0;
  #dayIndex = -1;
  #dayVolume = 0;

  constructor(instrument: Instrument, seed: number) {
    this.instrument = instrument;
    this.prng = createPrng(seed ^ hashText(instrument.symbol));
  }

  /** The next event at the wall time given; `stepSeconds` is the mean time between two. */
  next(nowMs: number, stepSeconds: number): PriceMessage {
    const { instrument, prng } = this;
    const { yearVolatility, price: start, decimals } = instrument;
    const step = yearVolatility * Math.sqrt(stepSeconds / yearSeconds) * prng.normal();
    this.#logDeviation += step - this.#logDeviation * Math.min(1, stepSeconds / returnSeconds);
    const price = Number((start * Math.exp(this.#logDeviation)).toFixed(decimals));
    return this.#message(nowMs, price, this.#volumeAt(nowMs, stepSeconds));
  }

  /** The day's running total, which starts anew at midnight UTC; null for a market without volume. */
  #volumeAt(nowMs: number, stepSeconds: number): number | null {
    const { dayVolume } = this.instrument;
    if (dayVolume === 0) return null;
    const dayIndex = Math.floor(nowMs / dayMs);
    if (dayIndex !== this.#dayIndex) {
      const elapsed = this.#dayIndex === -1 ? (nowMs % dayMs) / dayMs : 0;
      this.#dayIndex = dayIndex;
      this.#dayVolume = Math.floor(dayVolume * elapsed);
    }
    const meanSize = (dayVolume / 86_400) * stepSeconds;
    // Exponential sizes: many small trades, few large ones; at least one unit.
    this.#dayVolume += Math.max(1, Math.round(-Math.log(1 - this.prng.next()) * meanSize));
    return this.#dayVolume;
  }

  #message(nowMs: number, price: number, dayVolume: number | null): PriceMessage {
    const { symbol, type, pair, decimals } = this.instrument;
    const spread = 10 ** -decimals;
    return {
      event: 'price',
      symbol,
      ...(pair ? { currency_base: pair.base, currency_quote: pair.quote } : { currency: 'USD' }),
      exchange: 'SIMULATED',
      type,
      timestamp: Math.floor(nowMs / 1000),
      price,
      ...(pair ? { bid: price, ask: Number((price + spread).toFixed(decimals)) } : {}),
      ...(dayVolume === null ? {} : { day_volume: dayVolume }),
    };
  }
}

function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
