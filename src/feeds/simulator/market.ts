/**
 * The simulated market: which events are due, and the mischief asked for.
 *
 * Events of a symbol come as a Poisson process of the rate asked for. `lateShare` of them are held back `lateMs` and
 * delivered with their original time; `duplicateShare` are delivered twice.
 */

import { must } from '../../core/assert.ts';
import type { Clock } from '../../core/clock.ts';
import { PriceWalk } from './price-walk.ts';
import { universe } from './universe.ts';

/** How the market behaves; can be changed while it runs. */
export interface Behaviour {
  /** Mean events a second and symbol. */
  rate: number;
  /** Exceptions to `rate` by symbol. */
  rates: Record<string, number>;
  /** Share of events, 0…1, that come late. */
  lateShare: number;
  /** How late. */
  lateMs: number;
  /** Share of events, 0…1, that come twice. */
  duplicateShare: number;
}

/** An event ready to send. */
export interface OutgoingEvent {
  symbol: string;
  text: string;
}

/** The behaviour unless told otherwise. */
export const defaultBehaviour: Behaviour = {
  rate: 5,
  rates: {},
  lateShare: 0,
  lateMs: 5000,
  duplicateShare: 0,
};

/** After a standstill of the machine no more than this is caught up. */
const catchUpMsMax = 1000;
const heldMax = 10_000;

/** See the head of this file. */
export class SimulatedMarket {
  readonly behaviour: Behaviour;
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #walks = new Map<string, PriceWalk>();
  /** Monotonic time of each symbol's next event. */
  readonly #nextMs = new Map<string, number>();
  #held: { dueMs: number; event: OutgoingEvent }[] = [];

  constructor(behaviour: Behaviour, seed: number, clock: Clock) {
    this.behaviour = behaviour;
    this.#seed = seed;
    this.#clock = clock;
  }

  /** What is due by now for the symbols given (those somebody listens to). */
  due(symbols: Iterable<string>): OutgoingEvent[] {
    const nowMs = this.#clock.monotonicMs();
    const events = this.#released(nowMs);
    for (const symbol of symbols) {
      const rate = this.behaviour.rates[symbol] ?? this.behaviour.rate;
      if (rate <= 0) continue;
      const { prng } = this.#walk(symbol);
      const waitMs = (): number => (-Math.log(1 - prng.next()) * 1000) / rate;
      let nextMs = Math.max(this.#nextMs.get(symbol) ?? nowMs + waitMs(), nowMs - catchUpMsMax);
      for (; nextMs <= nowMs; nextMs += waitMs()) this.#emit(symbol, 1 / rate, nowMs, events);
      this.#nextMs.set(symbol, nextMs);
    }
    return events;
  }

  /** `count` events at once, the symbols taking turns. */
  burst(symbols: readonly string[], count: number): OutgoingEvent[] {
    const events: OutgoingEvent[] = [];
    const nowMs = this.#clock.monotonicMs();
    for (let i = 0; i < count && symbols.length > 0; i++) {
      this.#emit(symbols[i % symbols.length], 0.001, nowMs, events);
    }
    return events;
  }

  #emit(symbol: string, stepSeconds: number, nowMs: number, events: OutgoingEvent[]): void {
    const { lateShare, lateMs, duplicateShare } = this.behaviour;
    const walk = this.#walk(symbol);
    const event = { symbol, text: JSON.stringify(walk.next(this.#clock.nowMs(), stepSeconds)) };
    if (lateShare > 0 && this.#held.length < heldMax && walk.prng.next() < lateShare) {
      this.#held.push({ dueMs: nowMs + lateMs, event });
      return;
    }
    events.push(event);
    if (duplicateShare > 0 && walk.prng.next() < duplicateShare) events.push(event);
  }

  #released(nowMs: number): OutgoingEvent[] {
    const isDue = (held: { dueMs: number }): boolean => held.dueMs <= nowMs;
    if (!this.#held.some(isDue)) return [];
    const events = this.#held.filter(isDue).map(({ event }) => event);
    this.#held = this.#held.filter((held) => !isDue(held));
    return events;
  }

  #walk(symbol: string): PriceWalk {
    const known = this.#walks.get(symbol);
    if (known) return known;
    const walk = new PriceWalk(must(universe.get(symbol), `instrument ${symbol}`), this.#seed);
    this.#walks.set(symbol, walk);
    return walk;
  }
}
