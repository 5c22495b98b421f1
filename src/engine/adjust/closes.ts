/** The last price before an ex date, as it was paid: out of the longest bars that end there, else out of the rows. */
import { CandelaError } from '../../core/errors.ts';
import type { RollupEntry, RowsEntry } from '../catalog/catalog.ts';
import type { EngineState } from '../engine-state.ts';
import { newestBarBefore } from '../read/newest-bars.ts';
import type { Range } from '../read/range.ts';
import { readRows } from '../read/read-rows.ts';
import { asDoubles } from '../rollup/slots.ts';
import type { SeriesIndex } from '../series/series-index.ts';
import { barsTarget } from '../tables/bars-target.ts';
import type { ExDates } from './ex-dates.ts';
import { crosses } from './ex-dates.ts';
import type { Roles } from './roles.ts';

/** What closes are looked up in. */
export interface CloseOptions {
  ticks: RowsEntry;
  /** Numbers its groups are counted by: those of the series, or a rollup's own. */
  index: SeriesIndex;
  dates: ExDates;
  roles: Roles;
}

interface Known {
  lsn: number;
  closes: Map<string, number | null>;
}
/** By groups: closes as of one position of the log; a later write may correct them. */
const knownOf = new WeakMap<SeriesIndex, Known>();

/** See the head of this file. Values are kept while nothing is written. */
export function closeLookup(
  state: EngineState,
  options: CloseOptions,
): (group: number, exDate: number) => Promise<number | null> {
  const { dates, index } = options;
  return async (group, exDate) => {
    const { appliedLsn: lsn } = state;
    const start = dates.startOf(exDate);
    const key = `${group} ${start}`;
    let known = knownOf.get(index);
    if (known?.lsn !== lsn) {
      known = { lsn, closes: new Map() };
      knownOf.set(index, known);
    }
    const close = known.closes.get(key);
    if (close !== undefined) return close;
    const found = await lookUp(state, options, { group, exDate, start });
    known.closes.set(key, found);
    return found;
  };
}

interface Wanted {
  group: number;
  exDate: number;
  start: number;
}

async function lookUp(
  state: EngineState,
  { ticks, index, dates, roles }: CloseOptions,
  { group, exDate, start }: Wanted,
): Promise<number | null> {
  const column = closeColumn(ticks, roles);
  const width = ({ node }: RollupEntry): number => node.plan.bucketing.timeframe.widthNs;
  const fitting = state.catalog
    .rollupsOf(ticks)
    .filter(({ groups, node }) => groups.index === index && !crosses(node.plan.bucketing, dates, exDate))
    .sort((a, b) => width(b) - width(a));
  for (const entry of fitting) {
    const { slots } = entry.node.plan;
    const slot = slots.findIndex((spec) => spec.fn === 'last' && spec.column === column);
    if (slot < 0) continue;
    const bar = await newestBarBefore(state, barsTarget(entry), group, start);
    return bar && valid(asDoubles(bar.partials.slots[slot].store(Int32Array.of(bar.row))[0])[0]);
  }
  if (index !== ticks.table.series) throw noCloses(ticks);
  const range: Range = { fromNs: null, toNs: BigInt(start), order: 'desc', limit: 1, after: null };
  const rows = await readRows(state.storage, ticks.table, Int32Array.of(group), range);
  const at = ticks.table.rowColumns.findIndex((one) => one.index === column);
  return rows.timesNs.length === 0 ? null : valid(asDoubles(rows.columns[at])[0]);
}

function valid(price: number): number | null {
  return price > 0 ? price : null;
}

/** The price that a dividend is measured by: a column called close, or the first that is a price. */
function closeColumn({ def }: RowsEntry, roles: Roles): number {
  const prices = [...roles].filter(([, role]) => role === 'price').map(([index]) => index);
  const close = prices.find((index) => def.columns[index].name.toLowerCase() === 'close');
  const column = close ?? Math.min(...prices);
  if (Number.isFinite(column)) return column;
  throw new CandelaError(
    'UNSUPPORTED',
    `'${def.name}' has no price column, so there is no close for dividends`,
    {
      help: "Ask for adjust: 'split', or declare role: 'price' on a column.",
    },
  );
}

function noCloses({ def }: RowsEntry): CandelaError {
  return new CandelaError(
    'UNSUPPORTED',
    `no bars of '${def.name}' in the same groups have the last price of a day, which dividends are measured by`,
    { help: 'Create bars up to a day with a last of the price, or read bars grouped by the series key.' },
  );
}
