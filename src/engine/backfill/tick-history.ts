/** Ticks of a slice of time as parts of bars. */
import { narrowToInt32 } from '../../market/column-ops.ts';
import type { ColumnData, ColumnSet } from '../../market/columns.ts';
import { splitTimes } from '../../market/time.ts';
import type { ScanRequest, Storage } from '../../storage/storage.ts';
import type { RollupEntry, RowsEntry } from '../catalog/catalog.ts';
import { physicalId, rowColumns, tableRole } from '../catalog/layout.ts';
import { rowsBetween } from '../rollup/bar-intake.ts';
import { type TickBatch, ticksBetween } from '../rollup/tick-batch.ts';
import { TickFold } from '../rollup/tick-fold.ts';
import { storedTimeName } from '../tables/row-table.ts';
import type { HistoryPart, Span } from './history-source.ts';

/** Rows of one scan: counts may be out of date, and some slices cannot be cut further. */
const scanRows = 262_144;

/** Folds the stored ticks of a span for each of the rollups of one table, a page of rows at a time, newest first. */
export async function foldStoredTicks(
  storage: Storage,
  ticks: RowsEntry,
  rollups: readonly RollupEntry[],
  span: Span,
): Promise<Map<RollupEntry, HistoryPart[]>> {
  const parts = new Map(rollups.map((rollup): [RollupEntry, HistoryPart[]] => [rollup, []]));
  const wanted = columnsUsed(ticks, rollups);
  let request: ScanRequest | null = {
    table: physicalId(ticks.id, tableRole.rows),
    columns: [rowColumns.series, storedTimeName(ticks.def), rowColumns.version, ...wanted],
    series: null,
    ...span,
    order: 'asc',
    limit: scanRows,
    versionBelow: null,
    after: null,
  };
  while (request) {
    const page = await storage.scan(request);
    for (const [rollup, folded] of parts) folded.unshift(newestFirst(foldPage(rollup, page, wanted)));
    request = nextPage(request, page);
  }
  return parts;
}

/** Names of the stored columns that the rollups need. */
function columnsUsed({ def, table }: RowsEntry, rollups: readonly RollupEntry[]): string[] {
  const used = new Set<string>();
  for (const { node, groups } of rollups) {
    if (groups.index !== table.series) for (const name of groups.key) used.add(name);
    for (const { column, weight } of node.plan.slots) {
      if (column >= 0) used.add(def.columns[column].name);
      if (weight >= 0) used.add(def.columns[weight].name);
    }
  }
  return table.rowColumns.map((column) => column.def.name).filter((name) => used.has(name));
}

/** The request for what the limit cut off, or null. */
function nextPage(request: ScanRequest, page: ColumnSet): ScanRequest | null {
  const last = page.rowCount - 1;
  if (page.rowCount === 0 || page.rowCount !== request.limit) return null;
  const [timeNs, version] = [1, 2].map(
    (index) => (page.columns[index] as { values: BigInt64Array }).values[last],
  );
  return { ...request, after: { timeNs, version } };
}

function foldPage(rollup: RollupEntry, page: ColumnSet, names: readonly string[]): TickFold {
  const [series, times, arrivals] = page.columns as { values: BigInt64Array }[];
  const { table } = rollup.ticks;
  const columns = table.def.columns.map(
    ({ name }): ColumnData | undefined => page.columns[names.indexOf(name) + 3],
  );
  for (const [index, { name }] of table.def.columns.entries())
    if (!names.includes(name)) columns[index] = undefined;
  const { node } = rollup;
  const fold = new TickFold(node.plan.bucketing, node.plan.slots);
  fold.fold({
    ...ticksOf(rollup, narrowToInt32(series.values), times.values, columns),
    firstArrival: 0,
    arrivals: arrivalsOf(arrivals.values),
  });
  return fold;
}

/** Arrival numbers, none of which is negative, as doubles: by 32-bit halves, without a bigint each. */
function arrivalsOf(values: BigInt64Array): Float64Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const arrivals = new Float64Array(values.length);
  for (let i = 0; i < arrivals.length; i++) arrivals[i] = words[2 * i] + words[2 * i + 1] * 4294967296;
  return arrivals;
}

/** Ticks without arrival numbers, with the columns of the series key and the time that the rollup folds. */
function ticksOf(
  { node, ticks, groups }: RollupEntry,
  series: Int32Array,
  timesNs: BigInt64Array,
  rowColumns: readonly (ColumnData | undefined)[],
): Omit<TickBatch, 'firstArrival' | 'arrivals'> {
  const { table, def } = ticks;
  const count = series.length;
  const columns = [...rowColumns];
  const folded = new Set(node.plan.slots.flatMap(({ column, weight }) => [column, weight]));
  for (const index of folded) {
    if (index < 0) continue;
    const { name } = def.columns[index];
    const key = def.seriesKey.indexOf(name);
    if (key >= 0) columns[index] = table.series.keyColumnsOf(series)[key];
    if (name === def.timeColumn) columns[index] = { kind: 'timestamp', values: timesNs };
  }
  const isOwn = groups.index !== table.series;
  const group = isOwn
    ? table.groupsOf({ lsn: 0, rowCount: count, series, timesNs, columns }, groups)
    : series;
  node.reserveGroups(groups.index.count);
  const t256 = new Float64Array(count);
  const rest = new Uint8Array(count);
  splitTimes(timesNs, t256, rest);
  return { count, group, t256, rest, columns };
}

/** Ticks in the order of time fold to rows in the order of time. */
function newestFirst({ partials }: TickFold): HistoryPart {
  const last = partials.length - 1;
  return { partials, rows: Int32Array.from({ length: partials.length }, (_, row) => last - row) };
}

/** Takes the ticks of a span that only memory holds into a rollup, as it would have when they came. */
export function mergePendingTicks(rollup: RollupEntry, { fromNs, toNs }: Span, lsn: number): void {
  const { node, ticks } = rollup;
  const { hot } = ticks.table;
  for (const block of hot.blocks) {
    const from = Math.max(0, hot.flushedRow - block.baseRow);
    if (from >= block.length || block.minT >= Number(toNs) || block.maxT < Number(fromNs)) continue;
    const columns: (ColumnData | undefined)[] = Array(ticks.def.columns.length).fill(undefined);
    for (const [i, store] of block.payload.stores.entries())
      columns[ticks.table.rowColumns[i].index] = store.view(from, block.length);
    const series = block.series.subarray(from, block.length);
    const all = ticksOf(rollup, series, block.payload.timesNs.subarray(from, block.length), columns);
    const batch = { ...all, firstArrival: block.baseRow + from, arrivals: null };
    const fold = new TickFold(node.plan.bucketing, node.plan.slots);
    const partials = fold.fold(ticksBetween(batch, Number(fromNs), Number(toNs)));
    node.merge(partials, rowsBetween(0, partials.length), lsn);
  }
}
