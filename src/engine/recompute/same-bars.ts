/** Which of the bars made again are other than those that are there. */
import { toInt64 } from '../../market/column-ops.ts';
import { type ColumnData, valueAt } from '../../market/columns.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import type { EngineState } from '../engine-state.ts';
import { nothingBefore, outputColumns } from '../rollup/outputs.ts';
import type { Partials } from '../rollup/partials.ts';
import type { RollupPlan } from '../rollup/plan.ts';
import { fromStored } from '../rollup/stored-bars.ts';
import { barsTarget } from '../tables/bars-target.ts';
import { type BarRows, noBar, setBar } from './buckets.ts';
import type { PlannedLevel } from './plan-amendment.ts';

/** Sums of doubles in another order may differ in the last bits. */
const tolerance = 1e-12;

/** The level without what is as it was. Everything is in the store. */
export async function onlyChanged(state: EngineState, level: PlannedLevel): Promise<PlannedLevel> {
  const { entry, bars } = level;
  const { node } = entry;
  const stored = await storedBars(state, level);
  const closed: BarRows = new Map();
  for (const [group, byStart] of level.closed) {
    for (const [start, row] of byStart) {
      const known = stored.rows.get(group)?.get(start) ?? noBar;
      const isSame =
        row === noBar || known === noBar ? row === known : sameBar(node.plan, bars, row, stored.bars, known);
      if (!isSame) setBar(closed, group, start, row);
    }
  }
  const open = new Map(
    [...level.open].filter(([group, row]) => {
      const isOpen = group < node.groupCount && node.open.rows[group] > 0;
      return row === noBar || !isOpen
        ? isOpen !== (row !== noBar)
        : !sameBar(node.plan, bars, row, node.open, group);
    }),
  );
  const isChanged = (group: number): boolean => closed.has(group) || open.has(group);
  return {
    ...level,
    closed,
    open,
    newest: new Map([...level.newest].filter(([group]) => isChanged(group))),
    newestClosed: new Map([...level.newestClosed].filter(([group]) => closed.has(group))),
    live: new Set([...level.live].filter(isChanged)),
  };
}

async function storedBars(
  state: EngineState,
  { entry, closed }: PlannedLevel,
): Promise<{ bars: Partials; rows: BarRows }> {
  const { node, storedColumns } = barsTarget(entry);
  const keys = [...closed].flatMap(([group, byStart]) =>
    [...byStart.keys()].map((start) => ({ group, start })),
  );
  const set = await state.storage.lookup({
    table: physicalId(node.id, tableRole.rows),
    columns: storedColumns,
    series: Int32Array.from(keys, ({ group }) => group),
    timesNs: toInt64(Float64Array.from(keys, ({ start }) => start)),
  });
  const { partials: bars } = fromStored(node.plan, set.columns, set.rowCount);
  const rows: BarRows = new Map();
  for (let row = 0; row < bars.length; row++) setBar(rows, bars.group[row], bars.start[row], row);
  return { bars, rows };
}

function sameBar(plan: RollupPlan, a: Partials, rowA: number, b: Partials, rowB: number): boolean {
  const isPlaced =
    a.start[rowA] === b.start[rowB] &&
    a.rows[rowA] === b.rows[rowB] &&
    a.firstT[rowA] === b.firstT[rowB] &&
    a.firstTie[rowA] === b.firstTie[rowB] &&
    a.lastT[rowA] === b.lastT[rowB] &&
    a.lastTie[rowA] === b.lastTie[rowB];
  if (!isPlaced) return false;
  const ours = outputColumns(plan, a, Int32Array.of(rowA), nothingBefore).columns;
  const theirs = outputColumns(plan, b, Int32Array.of(rowB), nothingBefore).columns;
  return ours.every((column, i) => sameValue(column, theirs[i]));
}

function sameValue(a: ColumnData, b: ColumnData): boolean {
  const [x, y] = [valueAt(a, 0), valueAt(b, 0)];
  if (typeof x === 'number' && typeof y === 'number')
    return x === y || Math.abs(x - y) <= tolerance * Math.max(Math.abs(x), Math.abs(y));
  if (x !== null && y !== null && typeof x === 'object' && typeof y === 'object')
    return x.coefficient === y.coefficient && x.scale === y.scale;
  return x === y;
}
