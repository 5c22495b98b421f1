/** What subscribers are told of an amendment, from memory as it is after it. */
import { toInt64 } from '../../market/column-ops.ts';
import { takeRows } from '../../market/columns.ts';
import type { RollupEntry } from '../catalog/catalog.ts';
import { needsBarBefore, visibleBars } from '../read/visible-bars.ts';
import { noBar } from '../recompute/buckets.ts';
import type { AmendmentPlan, PlannedLevel } from '../recompute/plan-amendment.ts';
import { Partials } from '../rollup/partials.ts';
import { type BarKey, barsBefore, type GroupedBars, liveBars } from './bar-events.ts';

/** Ticks that are gone, as they were, and ticks that have changed, as they are. `groups` are their series. */
export function amendedTicks({
  entry: { table },
  amendment,
  before,
}: Pick<AmendmentPlan, 'entry' | 'amendment' | 'before'>): { gone: GroupedBars; changed: GroupedBars } {
  const rows = Int32Array.from(amendment.series.keys());
  const pick = (wanted: Int32Array, columns: AmendmentPlan['before']['columns']): GroupedBars => {
    const groups = wanted.map((row) => amendment.series[row]);
    const timesNs = BigInt64Array.from(wanted, (row) => amendment.timesNs[row]);
    const values = columns.map((column) => takeRows(column, wanted));
    return { groups, rows: table.columnSet(groups, timesNs, values) };
  };
  return {
    gone: pick(
      rows.filter((row) => amendment.isGone[row] === 1),
      before.columns,
    ),
    changed: pick(
      rows.filter((row) => amendment.isGone[row] === 0),
      amendment.columns,
    ),
  };
}

/** Events of one level. */
export interface AmendedBars {
  /** Buckets without a bar now: the columns that name them. */
  gone: GroupedBars;
  /** Bars that closed because a tick moved to another group. */
  closed: GroupedBars;
  /** Bars told as closed that stand open. */
  reopened: GroupedBars;
  /** Closed bars that are to be read again. */
  late: BarKey[];
}

/** Sorts out a level's changes, and notes which open bars were told as closed. */
export function amendedBars({ entry, bars, closed, newest, live }: PlannedLevel): AmendedBars {
  const { node } = entry;
  const gone: BarKey[] = [];
  const late: BarKey[] = [];
  const shut: number[] = [];
  for (const [group, { before, now }] of newest) {
    for (const [start, row] of closed.get(group) ?? []) {
      if (row === noBar && start !== now) gone.push({ group, start });
      else if (row !== noBar && start === before && node.announcedStart[group] !== start) shut.push(row);
      else if (row !== noBar) late.push({ group, start });
    }
    if (before > now) gone.push({ group, start: before });
  }
  // The bar after one that is gone grows from another bar now.
  if (needsBarBefore(node.plan)) for (const key of gone) late.push(key);
  return {
    gone: barNames(entry, gone),
    closed: {
      groups: Int32Array.from(shut, (row) => bars.group[row]),
      rows: visibleBars(entry, bars, Int32Array.from(shut), barsBefore(node)),
    },
    reopened: liveBars(entry, announced(entry, { newest, live })),
    late,
  };
}

/** Groups whose open bar was told as closed and is other than it was told; it counts as told as it is now. */
function announced(
  { node }: RollupEntry,
  { newest, live }: Pick<PlannedLevel, 'newest' | 'live'>,
): Int32Array {
  const one = new Partials(node.plan.slots, 1);
  const groups: number[] = [];
  for (const [group, { before, now }] of newest) {
    const isOpen = node.live(group, one, 0);
    if (before > now) node.announcedStart[group] = isOpen ? now : Number.NEGATIVE_INFINITY;
    if (!isOpen || !live.has(group) || node.announcedStart[group] !== one.start[0]) continue;
    node.announcedTicks[group] = one.rows[0];
    groups.push(group);
  }
  return Int32Array.from(groups);
}

function barNames({ time, groups: { key, index } }: RollupEntry, keys: readonly BarKey[]): GroupedBars {
  const groups = Int32Array.from(keys, ({ group }) => group);
  const starts = Float64Array.from(keys, ({ start }) => start);
  return {
    groups,
    rows: {
      rowCount: keys.length,
      names: [time.name, ...key],
      columns: [{ kind: 'timestamp', values: toInt64(starts) }, ...index.keyColumnsOf(groups)],
    },
  };
}
