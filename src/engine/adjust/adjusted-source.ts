/**
 * Bars in the terms of today. Each bar is scaled by the factor of its date, so a bar may not lie on both sides of an ex
 * date: a week with a split in it is merged from shorter bars that have been scaled, each by its own factor. Scaling a
 * bar or the ticks in it is then the same.
 *
 * ```
 *   1d, stored      Mon  Tue │ Wed  Thu  Fri        ex date: Wednesday, 2-for-1
 *   × ½              ●    ●  │
 *   1w, merged      [  ●                   ]        high: the higher of ½ × Tuesday's and Thursday's
 * ```
 */
import { CandelaError } from '../../core/errors.ts';
import { divides } from '../../market/bucketing.ts';
import type { RollupEntry } from '../catalog/catalog.ts';
import type { EngineState } from '../engine-state.ts';
import type { BarSource, SourceOptions } from '../read/bar-source.ts';
import { beforeBars } from '../read/bars-before.ts';
import { readMergedBars } from '../read/merged-bars.ts';
import type { BarRow } from '../read/newest-bars.ts';
import { newestBarsBefore } from '../read/newest-bars.ts';
import type { BarsRead } from '../read/read-bars.ts';
import { readBars } from '../read/read-bars.ts';
import { outputColumns } from '../rollup/outputs.ts';
import type { Partials } from '../rollup/partials.ts';
import { sameSlot } from '../rollup/partials.ts';
import type { Output, RollupPlan } from '../rollup/plan.ts';
import { asDoubles } from '../rollup/slots.ts';
import { barsTarget } from '../tables/bars-target.ts';
import { dateText } from './actions.ts';
import type { Adjustment } from './adjustment.ts';
import { crosses } from './ex-dates.ts';
import { type ScaledPlan, scaleBars, scaledPlan } from './scale-bars.ts';

/** What is read, adjusted. */
export interface AdjustedOptions extends Omit<SourceOptions, 'target'> {
  entry: RollupEntry;
  groups: Int32Array | null;
  adjustment: Adjustment;
}

/** Bars of a rollup, or merged, adjusted. Throws `UNSUPPORTED` where bars that could be scaled are not stored. */
export function adjustedSource(state: EngineState, options: AdjustedOptions): BarSource {
  const { entry, wanted, groups, adjustment, withLive } = options;
  const base = baseFor(state, options, adjustment.exDatesOf(groups));
  const target = barsTarget(base);
  const scaled = scaledPlan(entry.node.plan, adjustment.roles);
  const isStored = options.isStored && base === entry;
  const scale = (bars: BarsRead, withIncreases = true): Promise<BarsRead> =>
    scaleRead(state, { base, scaled, adjustment, own: entry.node.plan }, bars, withIncreases);
  return {
    plan: scaled.plan,
    bucketing: wanted,
    seriesCount: target.seriesCount,
    completeFrom: target.node.completeFrom,
    read: async (of, range) =>
      isStored
        ? scale(await readBars(state, target, of, range, withLive))
        : readMergedBars(state, target, of, range, wanted, withLive, scale),
    before: async (of, start) => {
      const found = await newestBarsBefore(state, target, of, start);
      const bars = new Map<number, BarRow>();
      for (const [group, bar] of found) {
        const { partials } = await scale(
          { partials: bar.partials, rows: Int32Array.of(bar.row), isCut: false },
          false,
        );
        bars.set(group, { partials, row: 0 });
      }
      return bars;
    },
  };
}

/** The rollup itself if none of its bars lies on both sides of an ex date, else the longest shorter one that serves. */
function baseFor(
  state: EngineState,
  { entry, wanted, adjustment }: AdjustedOptions,
  exDates: readonly number[],
): RollupEntry {
  const width = ({ node }: RollupEntry): number => node.plan.bucketing.timeframe.widthNs;
  const others = state.catalog
    .rollupsOf(entry.ticks)
    .filter(
      (other) => other !== entry && other.groups.index === entry.groups.index && canStandFor(other, entry),
    )
    .filter(({ node }) => divides(node.plan.bucketing, wanted))
    .sort((a, b) => width(b) - width(a));
  const crossed = (candidate: RollupEntry): number | undefined =>
    exDates.find((date) => crosses(candidate.node.plan.bucketing, adjustment.dates, date));
  const found = [entry, ...others].find((candidate) => crossed(candidate) === undefined);
  if (found) return found;
  throw new CandelaError(
    'UNSUPPORTED',
    `a bar of '${entry.def.name}' lies on both sides of the ex date ${dateText(crossed(entry) ?? 0)}, ` +
      'and no shorter bars with the same columns are stored that it could be made of',
    { help: "Create bars of a day or less with the same aggregates, in the market's time zone or calendar." },
  );
}

/** Has the rollup everything that the other one's columns are made of? */
function canStandFor(other: RollupEntry, entry: RollupEntry): boolean {
  const { slots } = other.node.plan;
  return entry.node.plan.slots.every((spec) => slots.some((slot) => sameSlot(slot, spec)));
}

interface Scale {
  base: RollupEntry;
  scaled: ScaledPlan;
  adjustment: Adjustment;
  /** The plan that was scaled. */
  own: RollupPlan;
}

async function scaleRead(
  state: EngineState,
  { base, scaled, adjustment, own }: Scale,
  { partials, rows, isCut }: BarsRead,
  withIncreases: boolean,
): Promise<BarsRead> {
  const { factors } = adjustment;
  const dateAt = datesOfRows(adjustment, partials, rows);
  await prepare(adjustment, partials, rows, dateAt);
  const slots = base.node.plan.slots;
  const slotFrom = Int32Array.from(own.slots, (spec) => slots.findIndex((slot) => sameSlot(slot, spec)));
  const increases = await increasesOf(state, { base, scaled, slotFrom }, partials, rows, withIncreases);
  const raw = {
    partials,
    rows,
    slotFrom,
    increases,
    factors: factors.ofRows(
      rows.map((row) => partials.group[row]),
      dateAt,
    ),
  };
  const made = scaleBars(scaled, raw);
  return { partials: made, rows: Int32Array.from(rows, (_, i) => i), isCut };
}

/** The date of each row; of a group without actions any will do. */
function datesOfRows(
  { factors, dates }: Adjustment,
  { group, start }: Partials,
  rows: Int32Array,
): Float64Array {
  const touched = new Map<number, boolean>();
  return Float64Array.from(rows, (row) => {
    const isTouched = touched.get(group[row]) ?? factors.exDatesOf(group[row]).length > 0;
    touched.set(group[row], isTouched);
    return isTouched ? dates.dateOf(start[row]) : Number.POSITIVE_INFINITY;
  });
}

async function prepare(
  { factors }: Adjustment,
  { group }: Partials,
  rows: Int32Array,
  dateAt: Float64Array,
): Promise<void> {
  const earliest = new Map<number, number>();
  for (const [i, row] of rows.entries())
    earliest.set(group[row], Math.min(earliest.get(group[row]) ?? Number.POSITIVE_INFINITY, dateAt[i]));
  for (const [one, date] of earliest) await factors.prepare(one, date);
}

/** What the counters of each row grew by, in the terms of that time. */
async function increasesOf(
  state: EngineState,
  { base, scaled, slotFrom }: { base: RollupEntry; scaled: ScaledPlan; slotFrom: Int32Array },
  partials: Partials,
  rows: Int32Array,
  isWanted: boolean,
): Promise<Float64Array[]> {
  if (!isWanted) return scaled.increases.map(() => new Float64Array(rows.length));
  if (scaled.increases.length === 0 || rows.length === 0)
    return scaled.increases.map(() => new Float64Array(0));
  const before = await beforeBars(state, barsTarget(base), partials, rows);
  const { bucketing, slots } = base.node.plan;
  const outputs = scaled.increases.map(({ output }): Output => {
    if (output.source.from !== 'increase') return output;
    const { last, first } = output.source;
    return { ...output, source: { from: 'increase', last: slotFrom[last], first: slotFrom[first] } };
  });
  const { columns } = outputColumns({ bucketing, slots, outputs }, partials, rows, before);
  return columns.map(asDoubles);
}
