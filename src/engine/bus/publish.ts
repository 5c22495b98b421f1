/** After a batch has been applied: who is told what. */

import { concatSets, takeSetRows } from '../../market/column-ops.ts';
import type { ColumnSet } from '../../market/columns.ts';
import type { RollupEntry, RowsEntry } from '../catalog/catalog.ts';
import type { EngineState } from '../engine-state.ts';
import type { AmendmentPlan, PlannedLevel } from '../recompute/plan-amendment.ts';
import type { RollupNode } from '../rollup/rollup-node.ts';
import { knownTime } from '../tables/known-time.ts';
import { amendedBars, amendedTicks } from './amended-events.ts';
import type { BarKey, GroupedBars } from './bar-events.ts';
import { closedSince, overdueBars, regrownBars } from './bar-events.ts';
import type { BusSubscription } from './bus.ts';

/** Reads whole bars again, from memory and store: the engine's read path. */
export type ReadAgain = (entry: RollupEntry, keys: BarKey[]) => Promise<GroupedBars>;

/** Tells subscribers of a table's rows, and of the bars they changed. */
export class Publisher {
  readonly #state: EngineState;
  readonly #readAgain: ReadAgain;
  /** Closed bars that late ticks changed, and that are to be told of. */
  readonly #late = new Map<RollupEntry, Map<string, BarKey>>();
  #isCorrecting = false;
  /** Whose changed bars are being read, and the groups of it that have been amended since that began. */
  #reading: { entry: RollupEntry; amended: Set<number> } | null = null;

  constructor(state: EngineState, readAgain: ReadAgain) {
    this.#state = state;
    this.#readAgain = readAgain;
  }

  /** Rows from `firstRow` on are new. */
  publish(entry: RowsEntry, firstRow: number): void {
    this.#publishTicks(entry, firstRow);
    for (const { node, fold } of entry.table.roots) {
      const visit = (level: RollupNode): void => {
        this.#publishBars(level, fold.partials.group, fold.partials.length);
        level.children.forEach(visit);
      };
      visit(node);
    }
  }

  /** Rows were taken away or changed, and bars with them. */
  publishAmended(plan: Pick<AmendmentPlan, 'entry' | 'amendment' | 'before'>): void {
    const { entry } = plan;
    const subscriptions = this.#state.bus.forTicks(entry.def.name);
    if (subscriptions.size === 0) return;
    const { gone, changed } = amendedTicks(plan);
    this.#push(subscriptions, 'deleted', entry.def.name, gone.rows, gone.groups);
    this.#push(subscriptions, 'correction', entry.def.name, changed.rows, changed.groups);
  }

  /** Bars of these levels were made again. */
  publishAmendedBars(levels: readonly PlannedLevel[]): void {
    for (const level of levels) {
      const { entry, newest } = level;
      if (this.#reading?.entry === entry) for (const group of newest.keys()) this.#reading.amended.add(group);
      const subscriptions = this.#state.bus.forNode(entry.node);
      // What counts as told as closed is kept right in any case.
      const { gone, closed, reopened, late } = amendedBars(level);
      if (subscriptions.size === 0) continue;
      const wanting = [...subscriptions].filter(({ topic }) => topic.closed);
      this.#push(subscriptions, 'deleted', entry.node.name, gone.rows, gone.groups);
      this.#push(wanting, 'closed', entry.node.name, closed.rows, closed.groups);
      this.#push(wanting, 'correction', entry.node.name, reopened.rows, reopened.groups);
      if (late.length > 0 && wanting.length > 0) this.#correct(entry, late);
      const live = Int32Array.from(level.live);
      for (const subscription of subscriptions)
        if (subscription.topic.live) subscription.touch(live, live.length);
    }
  }

  /** Bars whose time has passed without a tick that would close them: told as closed a little after their end. */
  publishOverdue(): void {
    for (const entry of this.#state.catalog.rollups()) {
      const wanting = [...this.#state.bus.forNode(entry.node)].filter(({ topic }) => topic.closed);
      if (wanting.length === 0) continue;
      const due = overdueBars(entry, horizonOf(entry, this.#state.clock.nowMs()));
      if (due) this.#push(wanting, 'closed', entry.node.name, due.rows, due.groups);
    }
  }

  /** Bars that a back-fill brought, here and above, are told to nobody. */
  passOver(node: RollupNode): void {
    node.publishedRow = node.closed.nextRow;
    if (this.#state.bus.forNode(node).size > 0) {
      const entry = this.#state.catalog.entryOf(node);
      // Those that stand open though their time has passed count as told.
      overdueBars(entry, horizonOf(entry, this.#state.clock.nowMs()));
    }
    for (const child of node.children) this.passOver(child);
  }

  #publishTicks({ def, table }: RowsEntry, firstRow: number): void {
    const subscriptions = this.#state.bus.forTicks(def.name);
    if (subscriptions.size === 0) return;
    const { nextRow } = table.hot;
    const rows = concatSets(table.hotSet(firstRow, nextRow));
    this.#push(subscriptions, 'ticks', def.name, rows, table.hotSeries(firstRow, nextRow));
  }

  #publishBars(node: RollupNode, groups: Int32Array, count: number): void {
    const subscriptions = this.#state.bus.forNode(node);
    if (subscriptions.size > 0) {
      this.#publishClosed(node, subscriptions, groups, count);
      for (const subscription of subscriptions)
        if (subscription.topic.live) subscription.touch(groups, count);
    }
    node.publishedRow = node.closed.nextRow;
  }

  #publishClosed(
    node: RollupNode,
    subscriptions: ReadonlySet<BusSubscription>,
    groups: Int32Array,
    count: number,
  ): void {
    const wanting = [...subscriptions].filter(({ topic }) => topic.closed);
    if (wanting.length === 0) return;
    const entry = this.#state.catalog.entryOf(node);
    const regrown = regrownBars(entry, groups, count);
    if (regrown) this.#push(wanting, 'correction', node.name, regrown.rows, regrown.groups);
    if (node.closed.nextRow === node.publishedRow) return;
    const { closed, late } = closedSince(entry, node.publishedRow);
    if (closed) this.#push(wanting, 'closed', node.name, closed.rows, closed.groups);
    if (late.length > 0) this.#correct(entry, late);
  }

  /** Bars to be corrected wait, each once, until those before have been told. */
  #correct(entry: RollupEntry, late: readonly BarKey[]): void {
    const waiting = this.#late.get(entry) ?? new Map<string, BarKey>();
    this.#late.set(entry, waiting);
    for (const key of late) waiting.set(`${key.group}:${key.start}`, key);
    if (!this.#isCorrecting) void this.#correctAll();
  }

  async #correctAll(): Promise<void> {
    this.#isCorrecting = true;
    for (const [entry, waiting] of this.#late) {
      this.#late.delete(entry);
      await this.#tellCorrected(entry, [...waiting.values()]);
    }
    this.#isCorrecting = false;
  }

  /**
   * A corrected bar is the whole new bar, part of which may lie in the store. Who subscribes while it is read has it in
   * the snapshot. An amendment that is told meanwhile is newer than what was read of its groups: they are read again.
   */
  async #tellCorrected(entry: RollupEntry, keys: BarKey[]): Promise<void> {
    const wanting = [...this.#state.bus.forNode(entry.node)].filter(({ topic }) => topic.closed);
    if (wanting.length === 0) return;
    const amended = new Set<number>();
    this.#reading = { entry, amended };
    try {
      const { groups, rows } = await this.#readAgain(entry, keys);
      const kept = Int32Array.from(groups.keys()).filter((row) => !amended.has(groups[row]));
      this.#push(
        wanting,
        'correction',
        entry.node.name,
        takeSetRows(rows, kept),
        kept.map((row) => groups[row]),
      );
    } catch (error) {
      this.#state.log.error(
        { err: error, table: entry.node.name },
        'late ticks changed closed bars that could not be read again',
      );
    } finally {
      this.#reading = null;
    }
    const overtaken = keys.filter(({ group }) => amended.has(group));
    if (overtaken.length > 0) this.#correct(entry, overtaken);
  }

  #push(
    subscriptions: Iterable<BusSubscription>,
    type: 'ticks' | 'closed' | 'correction' | 'deleted',
    table: string,
    rows: ColumnSet,
    series: Int32Array,
  ): void {
    for (const subscription of subscriptions) {
      const wanted = wantedRows(subscription, rows, series);
      if (wanted.rowCount > 0) subscription.push({ type, table, lsn: this.#state.appliedLsn, rows: wanted });
    }
  }
}

/** How long a bar may still get ticks after its end before it counts as closed. */
const graceNs = 1e9;

/** Time before which buckets have passed. */
function horizonOf({ ticks }: RollupEntry, nowMs: number): number {
  return knownTime(ticks.table, nowMs) - graceNs;
}

function wantedRows(subscription: BusSubscription, rows: ColumnSet, series: Int32Array): ColumnSet {
  if (subscription.topic.filter === undefined) return rows;
  const wanted = Int32Array.from(series.keys()).filter((row) => subscription.wants(series[row]));
  return wanted.length === rows.rowCount ? rows : takeSetRows(rows, wanted);
}
