/**
 * What a flush does with a rollup's closed bars: whole bars are appended; late parts are merged with the bar
 * they belong
 * to, be it among those being flushed or in the store already, where it is then replaced.
 */
import { takeDoubles, toInt64 } from '../../market/column-ops.ts';
import type { Storage, StorageOp } from '../../storage/storage.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import { rowsBetween } from '../rollup/bar-intake.ts';
import { Moves } from '../rollup/moves.ts';
import { Partials } from '../rollup/partials.ts';
import type { RollupNode } from '../rollup/rollup-node.ts';
import { fromStored, toStored } from '../rollup/stored-bars.ts';
import type { BarsTarget } from '../tables/bars-target.ts';
import { BarKeys } from './bar-keys.ts';
import { historyOps, pastRows, type Span } from './history-bars.ts';

/**
 * Steps that store closed rows `fromRow` … `toRow`-1 and what a back-fill brought, and per group the newest bucket they
 * bring (or -Infinity).
 */
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
  for (const span of spans) late.add(span.block.payload.partials, lateRows(span));
  const history = node.history.partials;
  const past = pastRows(history, spans, (row) => late.add(history, [row]));
  for (const span of spans) {
    const whole = late.isEmpty ? allRows(span) : late.joined(span);
    const rows = byGroup(whole.partials, whole.rows, node.groupCount);
    plan.ops.push(...appendOps(node.id, whole.partials, rows, lsn));
    // Whole bars of a group stand in ascending order.
    for (const row of whole.rows) newest[whole.partials.group[row]] = whole.partials.start[row];
  }
  if (!late.isEmpty) plan.ops.push(...(await replaceOps(storage, target, late, lsn)));
  plan.ops.push(...(await historyOps(storage, target, past, lsn)));
  return plan;
}

/**
 * The rows group by group, in their order within each: one group's bars lie together before the chunk is sealed, too.
 */
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

function allRows({ block, from, to }: Span): { partials: Partials; rows: Int32Array } {
  return { partials: block.payload.partials, rows: rowsBetween(from, to) };
}

/** Late parts of this flush, merged per bar. */
class LateBars {
  readonly partials: Partials;
  readonly #node: RollupNode;
  readonly #rowOf = new BarKeys();

  constructor(node: RollupNode) {
    this.#node = node;
    this.partials = new Partials(node.plan.slots, 16);
  }

  get isEmpty(): boolean {
    return this.partials.length === 0;
  }

  /** Takes rows in their order. */
  add(from: Partials, rows: Iterable<number>): void {
    const { partials } = this;
    const firsts = new Moves();
    const others = new Moves();
    for (const row of rows) {
      const known = this.#rowOf.get(from.group[row], from.start[row]);
      if (known !== undefined) {
        others.add(row, known);
        continue;
      }
      this.#rowOf.add(from.group[row], from.start[row], partials.length);
      firsts.add(row, partials.length++);
    }
    partials.reserve(partials.length);
    partials.copyRows(from, firsts, this.#node.ownSlots);
    partials.mergeRows(from, others, this.#node.ownSlots);
  }

  /** The whole bars of a span, each with its late parts, which are then done with. */
  joined({ block, from, to }: Span): { partials: Partials; rows: Int32Array } {
    const { late, partials: bars } = block.payload;
    const joined = new Partials(this.#node.plan.slots, to - from);
    const whole = new Moves();
    const parts = new Moves();
    for (let at = from; at < to; at++) {
      if (late[at] === 1) continue;
      const part = this.#rowOf.take(bars.group[at], bars.start[at]);
      if (part !== undefined) parts.add(part, whole.count);
      whole.add(at, whole.count);
    }
    joined.length = whole.count;
    joined.copyRows(bars, whole, this.#node.ownSlots);
    joined.mergeRows(this.partials, parts, this.#node.ownSlots);
    return { partials: joined, rows: rowsBetween(0, joined.length) };
  }

  /** Rows of `partials` whose bar is not in this flush. */
  remaining(): Int32Array {
    return Int32Array.from(this.#rowOf.values());
  }
}

/** The late parts of a span. */
function* lateRows({ block, from, to }: Span): Iterable<number> {
  for (let at = from; at < to; at++) if (block.payload.late[at] === 1) yield at;
}

function appendOps(id: number, partials: Partials, rows: Int32Array, lsn: number): StorageOp[] {
  if (rows.length === 0) return [];
  const table = physicalId(id, tableRole.rows);
  const columns = toStored(partials, rows, lsn);
  return [{ op: 'append', table, columns, rowCount: rows.length, given: [...columns.keys()] }];
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
  late.add(bars, rowsBetween(0, bars.length));
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
