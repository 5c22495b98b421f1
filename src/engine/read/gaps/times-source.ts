/** Where a gap report takes the times of a series from: stored bars if any will do, else the rows themselves. */
import { CandelaError } from '../../../core/errors.ts';
import type { Bucketing } from '../../../market/bucketing.ts';
import { bucketingOptions, createBucketing } from '../../../market/bucketing.ts';
import { parseTimeframe } from '../../../market/timeframe.ts';
import type { RollupEntry, RowsEntry } from '../../catalog/catalog.ts';
import type { GapsRequest } from '../../database.ts';
import type { EngineState } from '../../engine-state.ts';
import { barsTarget } from '../../tables/bars-target.ts';
import { findTimeframe } from '../find-timeframe.ts';
import type { Position, Range } from '../range.ts';
import { floor256 } from '../range.ts';
import { readBars } from '../read-bars.ts';
import { readRows } from '../read-rows.ts';

/** Times at which a series has something, in the order of the range. */
export interface TimesSource {
  /** The table or rollup that is read. */
  entry: RowsEntry | RollupEntry;
  bucketing: Bucketing;
  times(series: number, range: Range): Promise<{ times: Float64Array; next: Position | null }>;
}

/**
 * Bars of the timeframe, or such as it can be merged from, in the calendar asked for; else bars or rows that lie
 * anywhere, each in the bucket of the calendar that holds it. Throws `TIMEFRAME_NOT_FOUND`, `INVALID_ARGUMENT`.
 */
export function timesSource(state: EngineState, request: GapsRequest): TimesSource {
  const entry = state.catalog.find(request.table);
  if (entry.kind === 'plain')
    throw new CandelaError('UNSUPPORTED', `'${request.table}' is a plain table: it has no gaps`);
  const timeframe = request.timeframe ?? timeframeOf(state, entry);
  const options = bucketingOptions(request);
  const found = tryFind(state, { ...options, table: request.table, timeframe });
  if (found) return ofBars(state, found.entry, found.wanted);
  const bucketing = createBucketing(timeframe, options);
  const finer = barsBySize(state, entry).findLast(({ node }) => liesWithin(node.plan.bucketing, bucketing));
  if (finer) return ofBars(state, finer, bucketing);
  if (entry.kind === 'rows') return ofRows(state, entry, bucketing);
  throw new CandelaError('TIMEFRAME_NOT_FOUND', `'${request.table}' has no bars as short as ${timeframe}`);
}

function timeframeOf(state: EngineState, entry: RowsEntry | RollupEntry): string {
  const [bars] = barsBySize(state, entry);
  if (bars) return bars.node.plan.bucketing.timeframe.text;
  throw new CandelaError('INVALID_ARGUMENT', `'${entry.def.name}' has no bars that would say a timeframe`, {
    help: 'Give the timeframe to look for gaps in, such as 1m.',
  });
}

/** The bars of a table's series, shortest first. */
function barsBySize(state: EngineState, entry: RowsEntry | RollupEntry): RollupEntry[] {
  if (entry.kind === 'rollup') return [entry];
  const width = ({ node }: RollupEntry): number => node.plan.bucketing.timeframe.widthNs;
  return state.catalog
    .rollupsOf(entry)
    .filter(({ groups }) => groups.index === entry.table.series)
    .sort((a, b) => width(a) - width(b));
}

/** Sessions open and close, and zones change, at whole minutes: what divides a minute lies in one bucket of any. */
function liesWithin({ timeframe: fine }: Bucketing, { timeframe: coarse }: Bucketing): boolean {
  const isWhole = coarse.months > 0 || coarse.widthNs % fine.widthNs === 0;
  return fine.months === 0 && minuteNs % fine.widthNs === 0 && isWhole;
}

const minuteNs = 60e9;

function tryFind(state: EngineState, request: Parameters<typeof findTimeframe>[1]) {
  parseTimeframe(request.timeframe);
  try {
    return findTimeframe(state.catalog, request);
  } catch (error) {
    if (error instanceof CandelaError && error.code === 'TIMEFRAME_NOT_FOUND') return undefined;
    throw error;
  }
}

function ofBars(state: EngineState, entry: RollupEntry, bucketing: Bucketing): TimesSource {
  const target = barsTarget(entry);
  return {
    entry,
    bucketing,
    async times(series, range) {
      const { partials, rows, isCut } = await readBars(state, target, Int32Array.of(series), range, true);
      const times = Float64Array.from(rows, (row) => partials.start[row]);
      const last = times[times.length - 1];
      return { times, next: isCut ? { timeNs: BigInt(last), tie: BigInt(series) } : null };
    },
  };
}

function ofRows(state: EngineState, entry: RowsEntry, bucketing: Bucketing): TimesSource {
  return {
    entry,
    bucketing,
    async times(series, range) {
      const { timesNs, next } = await readRows(state.storage, entry.table, Int32Array.of(series), range);
      return { times: Float64Array.from(timesNs, floor256), next };
    },
  };
}
