/** The bars folded in one pass are, bit for bit, those that the slots make one by one. */
import { describe, expect, it } from 'vitest';
import { createPrng, type Prng } from '../../core/prng.ts';
import { CandleFold } from './candle-fold.ts';
import { createSlot } from './create-slot.ts';
import type { AssignedTicks, Slot, SlotFunction, SlotSpec } from './slots.ts';

const double = { kind: 'double' } as const;
const slot = (fn: SlotFunction, column: number, weight = -1): SlotSpec => ({
  fn,
  column,
  weight,
  type: double,
});
const candle: SlotSpec[] = [
  slot('first', 0),
  slot('max', 0),
  slot('min', 0),
  slot('last', 0),
  slot('sum', 1),
  slot('product', 0, 1),
  slot('weight', 0, 1),
  slot('count', 0),
];
const rowCount = 40;

function randomTicks(prng: Prng, price: () => number): AssignedTicks {
  const count = 1 + prng.below(500);
  const target = Int32Array.from({ length: count }, (_, i) => (i < rowCount ? i : prng.below(rowCount)));
  const tickOf = (row: number): number => Math.max(0, target.indexOf(row));
  return {
    count,
    columns: [
      { kind: 'double', values: Float64Array.from({ length: count }, price) },
      { kind: 'double', values: Float64Array.from({ length: count }, () => prng.below(1e6) / 7) },
    ],
    target,
    rowCount: Math.min(count, rowCount),
    firstTick: Int32Array.from({ length: rowCount }, (_, row) => tickOf(row)),
    lastTick: Int32Array.from({ length: rowCount }, (_, row) => Math.max(0, target.lastIndexOf(row))),
  };
}

/** What the slots hold after the fold, row by row: bits, as text. */
function stored(slots: readonly Slot[], rows: number): string[] {
  const wanted = Int32Array.from({ length: rows }, (_, row) => row);
  return slots.flatMap((one) =>
    one.store(wanted).map((column) => ('values' in column ? [...column.values].map(String).join(' ') : '')),
  );
}

function makeSlots(specs: readonly SlotSpec[]): Slot[] {
  return specs.map((spec) => createSlot(spec, rowCount));
}

describe('the fold of the usual bars', () => {
  const prices: [string, boolean, (prng: Prng) => number][] = [
    ['fractions of any size', true, (prng) => (prng.below(2001) - 1000) * 10 ** (prng.below(30) - 15)],
    ['nulls among them', false, (prng) => (prng.below(50) === 0 ? Number.NaN : prng.below(100))],
    ['infinities among them', false, (prng) => (prng.below(50) === 0 ? Number.POSITIVE_INFINITY : 1)],
  ];
  it.each(prices)('is that of the slots one by one: %s', (_, isFolded, priceOf) => {
    const prng = createPrng(7);
    for (let round = 0; round < 50; round++) {
      // The same slots throughout: nothing of the batch before may stay.
      const fused = makeSlots(candle);
      const fold = CandleFold.of(candle, fused);
      for (let batch = 0; batch < 3; batch++) {
        const ticks = randomTicks(prng, () => priceOf(prng));
        const single = makeSlots(candle);
        for (const one of single) one.fold(ticks);
        const isDone = fold?.fold(ticks) ?? false;
        if (isFolded) expect(isDone).toBe(true);
        for (const one of isDone ? (fold?.others ?? []) : fused) one.fold(ticks);
        expect(stored(fused, ticks.rowCount)).toEqual(stored(single, ticks.rowCount));
      }
    }
  });

  it('leaves a batch with nulls to the slots', () => {
    const ticks = randomTicks(createPrng(3), () => Number.NaN);
    expect(CandleFold.of(candle, makeSlots(candle))?.fold(ticks)).toBe(false);
  });

  it.each([
    ['no volume', [slot('min', 0), slot('max', 0)]],
    ['no maximum', [slot('min', 0), slot('sum', 1)]],
    ['sum of the price itself', [slot('min', 0), slot('max', 0), slot('sum', 0)]],
    [
      'whole numbers',
      [slot('min', 0), slot('max', 0), { ...slot('sum', 1), type: { kind: 'int64' } as const }],
    ],
  ])('is not for bars with %s', (_, specs) => {
    expect(CandleFold.of(specs, makeSlots(specs))).toBeUndefined();
  });
});
