/**
 * What a flush does with a rollup's closed bars: whole bars are appended; late parts are merged with the bar
 * they belong
 * to, be it among those being flushed or in the store already, where it is then replaced.
 */
import { takeDoubles, toInt64 } from '../../market/column-ops.ts';
import type { Storage, StorageOp } from '../../storage/storage.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import { rowsBetween } from '../rollup/bar-intake.ts';
import { Partials } from '../rollup/partials.ts';
import type { ClosedBlock, RollupNode } from '../rollup/rollup-node.ts';
import { fromStored, toStored } from '../rollup/stored-bars.ts';
import type { BarsTarget } from '../tables/bars-target.ts';
import { historyOps, pastRows, type Span } from './history-bars.ts';

/** Steps that store closed rows `fromRow` … `toRow`-1 and what a back-fill brought, and per group the newest bucket they bring (or -Infinity). */
export interface ClosedFlush {
  ops: StorageOp[];
  newest: Float64Array;
}

/** Plans the flush; asks the store for bars that late parts belong to. */
export async function planClosed(
  storage: Storage,
  target: BarsTarget,
  fromRow: number,
  toRow: number,
  lsn: number,
): Promise<ClosedFlush> {
  const { node } = target;
  const newest = new Float64Array(node.groupCount).fill(Number.NEGATIVE_INFINITY);
  const plan: ClosedFlush = { ops: [], newest };
  const late = new LateBars(node);
  const spans = spansOf(node, fromRow, toRow);
  for (const { block, from, to } of spans) {
    for (let at = from; at < to; at++) if (block.payload.late[at] === 1) late.add(block.payload.partials, at);
  }
  const history = node.history.partials;
  const past = pastRows(history, spans, (row) => late.add(history, row));
  for (const { block, from, to } of spans) {
    const whole = late.isEmpty ? rowsWithout(block, from, to) : late.joined(block, from, to);
    const rows = byGroup(whole.partials, whole.rows, node.groupCount);
    plan.ops.push(...appendOps(node.id, whole.partials, rows, lsn));
    // Whole bars of a group stand in ascending order.
    for (const row of whole.rows) newest[whole.partials.group[row]] = whole.partials.start[row];
  }
  if (!late.isEmpty) plan.ops.push(...(await replaceOps(storage, target, late, lsn)));
  plan.ops.push(...(await historyOps(storage, target, past, lsn)));
  return plan;
}

/** The rows group by group, in their order within each: one group's bars lie together before the chunk is sealed, too. */
function byGroup({ group }: Partials, rows: Int32Array, groupCount: number): Int32Array {
  const next = new Int32Array(groupCount + 1);
  for (const row of rows) next[group[row] + 1]++;
  for (let i = 0; i < groupCount; i++) next[i + 1] += next[i];
  const sorted = new Int32Array(rows.length);
  for (const row of rows) sorted[next[group[row]]++] = row;
  return sorted;
}

function spansOf(node: RollupNode, fromRow: number, toRow: number): Span[] {
  return node.closed.blocks.flatMap((block) => {
    const from = Math.max(fromRow - block.baseRow, 0);
    const to = Math.min(toRow - block.baseRow, block.length);
    return from < to ? [{ block, from, to }] : [];
  });
}

function rowsWithout(block: ClosedBlock, from: number, to: number): { partials: Partials; rows: Int32Array } {
  return { partials: block.payload.partials, rows: rowsBetween(from, to) };
}

/** Late parts of this flush, merged per bar. */
class LateBars {
  readonly partials: Partials;
  readonly #node: RollupNode;
  readonly #rowOf = new Map<string, number>();

  constructor(node: RollupNode) {
    this.#node = node;
    this.partials = new Partials(node.plan.slots, 16);
  }

  get isEmpty(): boolean {
    return this.#rowOf.size === 0;
  }

  add(from: Partials, row: number): void {
    const key = `${from.group[row]}:${from.start[row]}`;
    const known = this.#rowOf.get(key);
    if (known === undefined) this.#rowOf.set(key, this.partials.push(from, row, this.#node.ownSlots));
    else this.partials.mergeRow(from, row, known, this.#node.ownSlots);
  }

  /** The whole bars of a span, each with its late parts, which are then done with. */
  joined(block: ClosedBlock, from: number, to: number): { partials: Partials; rows: Int32Array } {
    const joined = new Partials(this.#node.plan.slots, to - from);
    for (let at = from; at < to; at++) {
      if (block.payload.late[at] === 1) continue;
      const row = joined.push(block.payload.partials, at, this.#node.ownSlots);
      const key = `${joined.group[row]}:${joined.start[row]}`;
      const part = this.#rowOf.get(key);
      if (part === undefined) continue;
      joined.mergeRow(this.partials, part, row, this.#node.ownSlots);
      this.#rowOf.delete(key);
    }
    return { partials: joined, rows: rowsBetween(0, joined.length) };
  }

  /** Rows of `partials` whose bar is not in this flush. */
  remaining(): Int32Array {
    return Int32Array.from(this.#rowOf.values());
  }
}

function appendOps(id: number, partials: Partials, rows: Int32Array, lsn: number): StorageOp[] {
  if (rows.length === 0) return [];
  const table = physicalId(id, tableRole.rows);
  return [{ op: 'append', table, columns: toStored(partials, rows, lsn), rowCount: rows.length }];
}

async function replaceOps(
  storage: Storage,
  target: BarsTarget,
  late: LateBars,
  lsn: number,
): Promise<StorageOp[]> {
  const { node, storedColumns, timeName, seriesName } = target;
  const rows = late.remaining();
  if (rows.length === 0) return [];
  const { partials } = late;
  const table = physicalId(node.id, tableRole.rows);
  const stored = await storage.lookup({
    table,
    columns: storedColumns,
    series: rows.map((row) => partials.group[row]),
    timesNs: toInt64(takeDoubles(partials.start, rows)),
  });
  const bars = fromStored(node.plan, stored.columns, stored.rowCount).partials;
  for (let i = 0; i < bars.length; i++) late.add(bars, i);
  return [
    {
      op: 'replace',
      table,
      key: [seriesName, timeName],
      columns: toStored(partials, rows, lsn),
      rowCount: rows.length,
    },
  ];
}
