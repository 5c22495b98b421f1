import { CandelaError } from '../../core/errors.ts';
import type { Timeframe } from '../../market/timeframe.ts';
import { divides } from '../../market/timeframe.ts';
import type { Catalog, RollupEntry } from '../catalog/catalog.ts';

/**
 * The rollup to read bars of a timeframe from: of that very timeframe, or else the one with the longest bars that the
 * timeframe is made of. A ticks table stands for its rollups by series. Throws `TIMEFRAME_NOT_FOUND`.
 */
export function findTimeframe(catalog: Catalog, table: string, timeframe: Timeframe): RollupEntry {
  const entry = catalog.find(table);
  if (entry.kind === 'plain')
    throw new CandelaError('UNSUPPORTED', `'${table}' is a plain table: it has no bars`);
  const candidates =
    entry.kind === 'rollup'
      ? [entry]
      : catalog.rollupsOf(entry).filter(({ groups }) => groups.index === entry.table.series);
  const exact = candidates.find(({ node }) => node.plan.timeframe.text === timeframe.text);
  if (exact) return exact;
  const fitting = candidates
    .filter(({ node }) => divides(node.plan.timeframe, timeframe))
    .sort((a, b) => b.node.plan.timeframe.widthNs - a.node.plan.timeframe.widthNs);
  if (fitting.length > 0) return fitting[0];
  const known = candidates.map(({ node }) => node.plan.timeframe.text).join(', ') || 'none';
  throw new CandelaError(
    'TIMEFRAME_NOT_FOUND',
    `'${table}' has no bars that ${timeframe.text} could be made of (it has ${known})`,
  );
}
