import { CandelaError } from '../../core/errors.ts';
import type { Bucketing, BucketingOptions } from '../../market/bucketing.ts';
import { bucketingOptions, createBucketing, divides, withTimeframe } from '../../market/bucketing.ts';
import { parseTimeframe } from '../../market/timeframe.ts';
import type { Catalog, RollupEntry } from '../catalog/catalog.ts';

/** Which bars are wanted. Without a time zone, calendar or week start those of the rollup that is found hold. */
export interface TimeframeRequest extends BucketingOptions {
  /** A ticks table stands for its rollups by series. */
  table: string;
  timeframe: string;
}

/** The rollup to read, and the buckets wanted: the rollup's own, or longer ones that its bars make up. */
export interface FoundTimeframe {
  entry: RollupEntry;
  wanted: Bucketing;
  isStored: boolean;
}

/**
 * The rollup to read bars of a timeframe from: of that very timeframe, or else the one with the longest bars that the
 * timeframe is made of. Of several that serve, one without time zone and calendar is preferred. Throws
 * `TIMEFRAME_NOT_FOUND`, or `INVALID_ARGUMENT` for a time zone or a calendar that there is not.
 */
export function findTimeframe(catalog: Catalog, request: TimeframeRequest): FoundTimeframe {
  const candidates = candidatesOf(catalog, request.table);
  const timeframe = parseTimeframe(request.timeframe);
  const options = bucketingOptions(request);
  const given = Object.keys(options).length > 0 ? createBucketing(timeframe, options) : undefined;
  const exact = candidates.find(({ node: { plan } }) =>
    given ? plan.bucketing.key === given.key : plan.bucketing.timeframe.text === timeframe.text,
  );
  if (exact) return { entry: exact, wanted: exact.node.plan.bucketing, isStored: true };
  const plain = candidates.filter(({ node }) => !node.plan.bucketing.sessions);
  const wantedFrom = (from: Bucketing): Bucketing => given ?? withTimeframe(from, timeframe);
  const found = longestOf(plain, wantedFrom) ?? longestOf(candidates, wantedFrom);
  if (found) return found;
  const known = candidates.map(({ node }) => node.plan.bucketing.label).join(', ') || 'none';
  throw new CandelaError(
    'TIMEFRAME_NOT_FOUND',
    `'${request.table}' has no bars that ${given?.label ?? timeframe.text} could be made of (it has ${known})`,
  );
}

function candidatesOf(catalog: Catalog, table: string): RollupEntry[] {
  const entry = catalog.find(table);
  if (entry.kind === 'plain')
    throw new CandelaError('UNSUPPORTED', `'${table}' is a plain table: it has no bars`);
  if (entry.kind === 'rollup') return [entry];
  const bySeries = catalog.rollupsOf(entry).filter(({ groups }) => groups.index === entry.table.series);
  const isInSessions = ({ node }: RollupEntry): number => (node.plan.bucketing.sessions ? 1 : 0);
  return bySeries.sort((a, b) => isInSessions(a) - isInSessions(b));
}

function longestOf(
  candidates: readonly RollupEntry[],
  wantedFrom: (from: Bucketing) => Bucketing,
): FoundTimeframe | undefined {
  const fitting = candidates
    .map((entry) => ({ entry, wanted: wantedFrom(entry.node.plan.bucketing), isStored: false }))
    .filter(({ entry, wanted }) => divides(entry.node.plan.bucketing, wanted));
  const width = ({ entry }: FoundTimeframe): number => entry.node.plan.bucketing.timeframe.widthNs;
  return fitting.sort((a, b) => width(b) - width(a))[0];
}
