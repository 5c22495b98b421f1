/** What is to be filled next, and from what. */
import type { Storage } from '../../storage/storage.ts';
import type { Catalog, RollupEntry } from '../catalog/catalog.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import { barsTarget } from '../tables/bars-target.ts';
import { mergePendingBars, readStoredBars } from './bar-history.ts';
import type { HistoryPart, Span } from './history-source.ts';
import { foldStoredTicks, mergePendingTicks } from './tick-history.ts';

/** Rollups that read one source and stand at the same time, so that one reading serves them all. */
export interface Fill {
  /** The ticks table or rollup that is read. */
  source: string;
  /** Its physical table. */
  table: number;
  rollups: RollupEntry[];
  filledFrom: number;
  /** Nothing is read of before; null: there is no such bound. */
  oldestNs: bigint | null;
}

/** The next thing to fill: lower levels first, so that what is built on them finds whole bars. */
export function nextFill(catalog: Catalog): Fill | undefined {
  const waiting = catalog.rollups().filter(({ node }) => node.filledFrom > Number.NEGATIVE_INFINITY);
  if (waiting.length === 0) return undefined;
  const [{ node: first, ticks }] = waiting;
  const together = waiting.filter((entry) => entry.node.source === first.source && entry.ticks === ticks);
  const filledFrom = together.reduce(
    (latest, { node }) => Math.max(latest, node.filledFrom),
    first.filledFrom,
  );
  const source = first.source ? catalog.entryOf(first.source) : ticks;
  return {
    source: source.def.name,
    table: physicalId(source.id, tableRole.rows),
    rollups: together.filter(({ node }) => node.filledFrom === filledFrom),
    filledFrom,
    oldestNs: (first.source ?? ticks.table).droppedBeforeNs,
  };
}

/** What the store holds of a span, for each of the rollups. */
export async function readSpan(
  storage: Storage,
  catalog: Catalog,
  { rollups }: Fill,
  span: Span,
): Promise<Map<RollupEntry, HistoryPart[]>> {
  const [{ node, ticks }] = rollups;
  if (!node.source) return foldStoredTicks(storage, ticks, rollups, span);
  const bars = await readStoredBars(storage, barsTarget(catalog.entryOf(node.source)), span);
  return new Map(rollups.map((rollup) => [rollup, bars]));
}

/** Takes in what only memory holds of a span. */
export function mergePending(rollup: RollupEntry, span: Span, lsn: number): void {
  const { node } = rollup;
  if (node.source) mergePendingBars(node.source, node, span, lsn);
  else mergePendingTicks(rollup, span, lsn);
}
