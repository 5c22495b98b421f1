/** The parts every range read shares: checked bounds, cursors, and the order of rows. */
import { CandelaError } from '../../core/errors.ts';

/** A checked range: times in ns, half-open, null where unbounded. */
export interface Range {
  fromNs: bigint | null;
  toNs: bigint | null;
  order: 'asc' | 'desc';
  limit: number | null;
  after: Position | null;
}

/** The part of the range that retention has left: from a table's `droppedBeforeNs` on. */
export function keptPart(range: Range, droppedBeforeNs: bigint | null): Range {
  if (droppedBeforeNs === null || (range.fromNs !== null && range.fromNs >= droppedBeforeNs)) return range;
  return { ...range, fromNs: droppedBeforeNs };
}

/** Where a row stands in the order of a table: time, then arrival number (ticks) or series number (bars). */
export interface Position {
  timeNs: bigint;
  tie: bigint;
}

/** The part of a request that says which rows. */
export interface RangeRequest {
  fromNs?: bigint;
  toNs?: bigint;
  order?: 'asc' | 'desc';
  limit?: number;
  cursor?: string;
}

/** Checks a request's bounds. Throws `INVALID_ARGUMENT`. */
export function checkRange(request: RangeRequest): Range {
  const { limit } = request;
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0)) {
    throw new CandelaError('INVALID_ARGUMENT', `limit ${limit} is not a whole number from 0`);
  }
  if (request.order !== undefined && request.order !== 'asc' && request.order !== 'desc') {
    throw new CandelaError('INVALID_ARGUMENT', `order '${String(request.order)}' is neither asc nor desc`);
  }
  return {
    fromNs: request.fromNs ?? null,
    toNs: request.toNs ?? null,
    order: request.order ?? 'asc',
    limit: limit ?? null,
    after: request.cursor === undefined ? null : parseCursor(request.cursor),
  };
}

/** A cursor is the position of the last row delivered. */
export function formatCursor(position: Position): string {
  return `${position.timeNs}.${position.tie}`;
}

function parseCursor(cursor: string): Position {
  const parts = /^(-?\d{1,19})\.(\d{1,19})$/.exec(cursor);
  if (!parts) {
    throw new CandelaError('INVALID_ARGUMENT', `'${cursor}' is not a cursor`, {
      help: 'Pass on the cursor of the page before, unchanged, or leave it out for the first page.',
    });
  }
  return { timeNs: BigInt(parts[1]), tie: BigInt(parts[2]) };
}

/** Is the row inside the range's bounds and past its cursor? */
export function isInRange(range: Range, timeNs: bigint, tie: bigint): boolean {
  if (range.fromNs !== null && timeNs < range.fromNs) return false;
  if (range.toNs !== null && timeNs >= range.toNs) return false;
  if (!range.after) return true;
  const order = comparePositions(timeNs, tie, range.after.timeNs, range.after.tie);
  return range.order === 'asc' ? order > 0 : order < 0;
}

/** Negative, zero or positive as the first position is before, at or after the second. */
export function comparePositions(timeNs: bigint, tie: bigint, otherNs: bigint, otherTie: bigint): number {
  if (timeNs !== otherNs) return timeNs < otherNs ? -1 : 1;
  return tie === otherTie ? 0 : tie < otherTie ? -1 : 1;
}

/** Row indexes 0 … count-1 in the order of their positions. */
export function sortedRows(
  timesNs: BigInt64Array,
  ties: BigInt64Array | Float64Array,
  order: 'asc' | 'desc',
): Int32Array {
  const rows = Int32Array.from(timesNs, (_, i) => i);
  const sign = order === 'asc' ? 1 : -1;
  const compare = (a: number, b: number): number => {
    const time = timesNs[a] < timesNs[b] ? -1 : timesNs[a] > timesNs[b] ? 1 : 0;
    return sign * (time !== 0 ? time : ties[a] < ties[b] ? -1 : ties[a] > ties[b] ? 1 : 0);
  };
  for (let i = 1; i < rows.length; i++) {
    // Rows mostly arrive in order: sort only what is not.
    if (compare(rows[i - 1], rows[i]) > 0) return rows.sort(compare);
  }
  return rows;
}

/** A time as `t256` has it: the greatest multiple of 256 ns not above it. */
export function floor256(timeNs: bigint): number {
  return Number(timeNs - (timeNs & 255n));
}

/**
 * The name of a ns time below which `t256` values compare as the full time would: the least multiple of 256 ns
 * not below it.
 */
export function ceil256(timeNs: bigint): number {
  const rest = timeNs & 255n;
  return Number(rest === 0n ? timeNs : timeNs - rest + 256n);
}
