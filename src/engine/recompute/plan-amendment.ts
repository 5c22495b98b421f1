/** What an amendment comes to, worked out while nothing is changed yet. Everything is in the store. */
import { must } from '../../core/assert.ts';
import { narrowToInt32, takeSetRows } from '../../market/column-ops.ts';
import { type ColumnData, takeRows } from '../../market/columns.ts';
import type { RollupEntry, RowsEntry } from '../catalog/catalog.ts';
import { ownsGroups } from '../catalog/entries.ts';
import { physicalId, rowColumns, tableRole } from '../catalog/layout.ts';
import type { EngineState } from '../engine-state.ts';
import { type RowsRead, readRows } from '../read/read-rows.ts';
import type { Partials } from '../rollup/partials.ts';
import { storedTimeName } from '../tables/row-table.ts';
import { type Amendment, TickOverlay } from './amendment.ts';
import { addBucket, type Buckets, tickTimes } from './buckets.ts';
import { horizonOf, type LevelChange, levelChange, newestClosed, rootChange } from './level-change.ts';
import { barsFromTicks } from './root-bars.ts';

/** A level's change, and what memory keeps of it. */
export interface PlannedLevel extends LevelChange {
  /** Of each group with changed closed bars the newest one; undefined if it has none any more. */
  newestClosed: Map<number, Partials | undefined>;
}

/** Everything that an amendment changes. */
export interface AmendmentPlan {
  entry: RowsEntry;
  /** Only rows that the store holds. */
  amendment: Amendment;
  /** Those rows as they were. */
  before: RowsRead;
  /** Of each series named the row with the greatest time, as it will be; undefined if it has none any more. */
  latest: Map<number, RowsRead | undefined>;
  /** Lower levels first. */
  levels: PlannedLevel[];
}

/** See the head of this file. */
export async function planAmendment(
  state: EngineState,
  entry: RowsEntry,
  asked: Amendment,
): Promise<AmendmentPlan> {
  const { amendment, before } = await stored(state, entry, asked);
  const overlay = new TickOverlay(amendment);
  const levels: PlannedLevel[] = [];
  for (const rollup of state.catalog.rollupsOf(entry)) {
    if (rollup.node.source) continue;
    const touched = touchedBuckets(rollup, amendment, before);
    const found = await barsFromTicks(state, rollup, touched, overlay);
    levels.push(...(await withLevelsAbove(state, await rootChange(state, rollup, touched, found))));
  }
  const latest = await latestRows(state, entry, amendment, overlay);
  return { entry, amendment, before, latest, levels };
}

/** The change, and those of the levels built on it. */
export async function withLevelsAbove(
  state: EngineState,
  change: LevelChange,
  isWanted: (entry: RollupEntry) => boolean = () => true,
): Promise<PlannedLevel[]> {
  const newest: PlannedLevel['newestClosed'] = new Map();
  for (const group of change.closed.keys()) newest.set(group, await newestClosed(state, change, group));
  const levels: PlannedLevel[] = [{ ...change, newestClosed: newest }];
  for (const child of change.entry.node.children) {
    const entry = state.catalog.entryOf(child);
    if (isWanted(entry)) {
      const above = await levelChange(state, entry, change);
      levels.push(...(await withLevelsAbove(state, above, isWanted)));
    }
  }
  return levels;
}

/** The amendment without rows that the store does not hold, and the others as they are. */
async function stored(
  state: EngineState,
  { table, def }: RowsEntry,
  asked: Amendment,
): Promise<{ amendment: Amendment; before: RowsRead }> {
  const names = [rowColumns.series, storedTimeName(def), rowColumns.version];
  const set = await state.storage.lookup({
    table: physicalId(table.id, tableRole.rows),
    columns: [...names, ...table.rowColumns.map((column) => column.def.name)],
    series: asked.series,
    timesNs: asked.timesNs,
  });
  const rowOf = new Map<bigint, number>();
  for (const [row, arrival] of longs(set.columns[2]).entries()) rowOf.set(arrival, row);
  const kept = Int32Array.from(asked.arrivals.keys()).filter((row) => rowOf.has(asked.arrivals[row]));
  const found = takeSetRows(
    set,
    kept.map((row) => must(rowOf.get(asked.arrivals[row]), 'row')),
  );
  return {
    amendment: takeAmended(asked, kept),
    before: {
      series: narrowToInt32(longs(found.columns[0])),
      timesNs: longs(found.columns[1]),
      arrivals: longs(found.columns[2]),
      columns: found.columns.slice(3),
      next: null,
    },
  };
}

/** The rows named of an amendment. */
export function takeAmended(from: Amendment, rows: Int32Array): Amendment {
  return {
    series: rows.map((row) => from.series[row]),
    timesNs: BigInt64Array.from(rows, (row) => from.timesNs[row]),
    arrivals: BigInt64Array.from(rows, (row) => from.arrivals[row]),
    isGone: Uint8Array.from(rows, (row) => from.isGone[row]),
    columns: from.columns.map((column) => takeRows(column, rows)),
  };
}

/** Buckets of the ticks as they were and as they will be. */
function touchedBuckets(entry: RollupEntry, amendment: Amendment, before: RowsRead): Buckets {
  const { bucketing } = entry.node.plan;
  const touched: Buckets = new Map();
  const add = ({ series, timesNs, columns }: Pick<RowsRead, 'series' | 'timesNs' | 'columns'>): void => {
    for (const [row, group] of groupsOf(entry, series, timesNs, columns).entries()) {
      const t = Number(timesNs[row] - (timesNs[row] & 255n));
      if (bucketing.holds(t)) addBucket(touched, group, bucketing.bucketOf(t).start);
    }
  };
  add(before);
  const kept = Int32Array.from(amendment.isGone.keys()).filter((row) => amendment.isGone[row] === 0);
  if (ownsGroups(entry)) add(takeAmended(amendment, kept));
  return withoutIncomplete(entry, touched);
}

/** Buckets that begin before what retention has left cannot be made anew from their ticks: they stay as they are. */
export function withoutIncomplete({ ticks, node }: RollupEntry, touched: Buckets): Buckets {
  const from = Math.max(horizonOf(ticks.table), horizonOf(node));
  for (const [group, starts] of touched) {
    for (const start of starts) {
      const { end } = node.plan.bucketing.bucketOf(start);
      const times = tickTimes({ from: start, to: end, lastStart: start }, node.plan.bucketing);
      if (start < from || times.to <= node.filledFrom) starts.delete(start);
    }
    if (starts.size === 0) touched.delete(group);
  }
  return touched;
}

function groupsOf(
  entry: RollupEntry,
  series: Int32Array,
  timesNs: BigInt64Array,
  columns: ColumnData[],
): Int32Array {
  const { ticks, groups, node } = entry;
  if (!ownsGroups(entry)) return series;
  const rows = { lsn: 0, rowCount: series.length, series, timesNs };
  const numbers = ticks.table.groupsOf(
    { ...rows, columns: ticks.table.tickColumns(series, timesNs, columns) },
    groups,
  );
  node.reserveGroups(groups.index.count);
  return numbers;
}

async function latestRows(
  state: EngineState,
  { table, def }: RowsEntry,
  { series, arrivals, isGone }: Amendment,
  overlay: TickOverlay,
): Promise<AmendmentPlan['latest']> {
  const goneOf = new Map<number, number>();
  const gone = new Set<bigint>();
  for (const [row, one] of series.entries()) {
    goneOf.set(one, (goneOf.get(one) ?? 0) + isGone[row]);
    if (isGone[row] === 1) gone.add(arrivals[row]);
  }
  const latest: AmendmentPlan['latest'] = new Map();
  for (const [one, count] of goneOf) {
    const wanted = Int32Array.of(one);
    const present: RowsRead = { ...table.latestRows(wanted), next: null };
    const isKept = present.series.length > 0 && !gone.has(present.arrivals[0]);
    if (isKept) latest.set(one, overlay.apply(present));
    else if (def.kind === 'state') latest.set(one, undefined);
    else {
      const range = { fromNs: null, toNs: null, order: 'desc', limit: count + 1, after: null } as const;
      const rows = overlay.apply(await readRows(state.storage, table, wanted, range));
      latest.set(one, rows.series.length === 0 ? undefined : rows);
    }
  }
  return latest;
}

function longs(column: ColumnData): BigInt64Array {
  return (column as { values: BigInt64Array }).values;
}
