/** Reads of bars that are more than the bars that are there: filled in, adjusted, or with the state of each. */
import { CandelaError } from '../../core/errors.ts';
import type { Bucketing, BucketingOptions } from '../../market/bucketing.ts';
import type { ColumnSet } from '../../market/columns.ts';
import type { GapMode } from '../../market/schema.ts';
import { adjustedSource } from '../adjust/adjusted-source.ts';
import { adjustmentOf, checkAdjust } from '../adjust/adjustment.ts';
import type { AdjustMode } from '../adjust/factors.ts';
import type { RollupEntry } from '../catalog/catalog.ts';
import type { ReadRequest } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import { nothingBefore } from '../rollup/outputs.ts';
import { barsTarget } from '../tables/bars-target.ts';
import { knownTimeOfBars } from '../tables/known-time.ts';
import type { BarSource } from './bar-source.ts';
import { barSource } from './bar-source.ts';
import { beforeRows } from './bars-before.ts';
import type { BarPage } from './gaps/bar-page.ts';
import { pageOf } from './gaps/bar-page.ts';
import { barStateName, barStates } from './gaps/bar-states.ts';
import { fillBars, lastBegun } from './gaps/fill-bars.ts';
import { checkGaps } from './gaps/gap-mode.ts';
import { pageColumns, realRows } from './gaps/page-columns.ts';
import type { Range } from './range.ts';
import { formatCursor } from './range.ts';

/** What of a request makes it more than a plain read. */
export interface PageOptions {
  gaps: GapMode;
  flags: boolean;
  adjust: AdjustMode | null;
}

/** Bars to read, of a rollup or merged from it. */
export interface PageRequest extends PageOptions {
  /** The time zone or calendar asked for, whose dates ex dates are. */
  asked: BucketingOptions;
  entry: RollupEntry;
  wanted: Bucketing;
  isStored: boolean;
  /** Null for all. */
  groups: Int32Array | null;
  range: Range;
  withLive: boolean;
}

/** The options of a request; undefined where it is a plain read. Throws `INVALID_ARGUMENT`. */
export function pageOptions(
  request: Pick<ReadRequest, 'gaps' | 'flags' | 'adjust'>,
  { def }: RollupEntry,
): PageOptions | undefined {
  checkGaps(request.gaps, 'the read');
  const gaps = request.gaps ?? def.gaps ?? 'none';
  checkAdjust(request.adjust);
  const flags = request.flags === true;
  const adjust = request.adjust ?? null;
  return gaps === 'none' && !flags && !adjust ? undefined : { gaps, flags, adjust };
}

/** The bars with all visible columns, the state of each among them if asked for, and the position of the last. */
export async function readPage(
  state: EngineState,
  request: PageRequest,
): Promise<{ rows: ColumnSet; cursor: string | null }> {
  const { entry, gaps, flags, adjust } = request;
  const target = barsTarget(entry);
  const knownT = knownTimeOfBars(entry, state.clock.nowMs());
  const source = adjust ? await adjusted(state, request, adjust) : barSource(state, { target, ...request });
  const page = await readBarPage(source, request, knownT);
  // In adjusted bars nothing grows from the bar before any more.
  const before = adjust ? nothingBefore : await beforeRows(state, target, page.partials, realRows(page));
  const rows = pageColumns(entry, source.plan, page, gaps, before);
  const states = flags ? await barStates(source, page, knownT) : null;
  return {
    rows: states ? withColumn(rows, barStateName, states) : rows,
    cursor: pageCursor(page),
  };
}

async function adjusted(state: EngineState, request: PageRequest, mode: AdjustMode): Promise<BarSource> {
  const adjustment = await adjustmentOf(state, request.entry, mode, request.asked);
  return adjustedSource(state, { ...request, adjustment });
}

function readBarPage(
  source: BarSource,
  { entry, groups, range, gaps, withLive }: PageRequest,
  knownT: number,
): Promise<BarPage> {
  if (gaps === 'none') return source.read(groups, range).then(pageOf);
  return fillBars({
    source,
    filter: groups,
    range,
    lastStartOf: lastStarts(source, entry, knownT, withLive),
  });
}

/** The newest bucket that may be filled: the newest that has begun; without live bars, that has closed. */
function lastStarts(
  { bucketing }: BarSource,
  { node }: RollupEntry,
  knownT: number,
  withLive: boolean,
): (group: number) => number {
  if (withLive) {
    const newest = lastBegun(bucketing, knownT);
    return () => newest;
  }
  // A series' buckets close when a later one begins: what ends by then is whole.
  const known = Array.from(node.newestStarts(), (start) => lastClosed(bucketing, start));
  return (group) => known[group] ?? Number.NEGATIVE_INFINITY;
}

function lastClosed(bucketing: Bucketing, newestStart: number): number {
  const start = lastBegun(bucketing, newestStart);
  if (start === Number.NEGATIVE_INFINITY || bucketing.bucketOf(start).end <= newestStart) return start;
  return bucketing.previous(start)?.start ?? Number.NEGATIVE_INFINITY;
}

function withColumn(set: ColumnSet, name: string, column: ColumnSet['columns'][number]): ColumnSet {
  if (set.names.includes(name))
    throw new CandelaError('UNSUPPORTED', `flags would add a column '${name}', and there is one already`);
  return { ...set, names: [...set.names, name], columns: [...set.columns, column] };
}

function pageCursor({ starts, groups, isCut }: BarPage): string | null {
  const last = starts.length - 1;
  if (!isCut || last < 0) return null;
  return formatCursor({ timeNs: BigInt(starts[last]), tie: BigInt(groups[last]) });
}
