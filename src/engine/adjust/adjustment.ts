/** How a table's values are adjusted: roles of its columns, dates of its market, factors of its symbols. */
import { CandelaError } from '../../core/errors.ts';
import type { Bucketing, BucketingOptions } from '../../market/bucketing.ts';
import { bucketingOptions, createBucketing } from '../../market/bucketing.ts';
import type { RollupEntry, RowsEntry } from '../catalog/catalog.ts';
import type { EngineState } from '../engine-state.ts';
import { knownTime } from '../tables/known-time.ts';
import { readActions } from './actions.ts';
import { closeLookup } from './closes.ts';
import type { ExDates } from './ex-dates.ts';
import { exDatesOf, sessionsOfTable } from './ex-dates.ts';
import type { AdjustMode } from './factors.ts';
import { Factors } from './factors.ts';
import type { Roles } from './roles.ts';
import { rolesOf } from './roles.ts';

/** See the head of this file. */
export interface Adjustment {
  roles: Roles;
  dates: ExDates;
  factors: Factors;
  /** Ex dates that count for any of the groups (null: all), ascending. */
  exDatesOf(groups: Int32Array | null): number[];
}

/** Throws `INVALID_ARGUMENT` for a mode that there is not. */
export function checkAdjust(mode: AdjustMode | undefined): void {
  if (mode === undefined || mode === 'split' || mode === 'all') return;
  throw new CandelaError('INVALID_ARGUMENT', `adjust '${String(mode)}' is neither split nor all`);
}

/** The adjustment of a table or rollup. Throws `UNSUPPORTED` where it cannot be. */
export async function adjustmentOf(
  state: EngineState,
  entry: RowsEntry | RollupEntry,
  mode: AdjustMode,
  request: BucketingOptions,
): Promise<Adjustment> {
  const ticks = entry.kind === 'rollup' ? entry.ticks : entry;
  const index = entry.kind === 'rollup' ? entry.groups.index : entry.table.series;
  const symbolAt = symbolColumn(entry, ticks);
  const actions = await readActions(state);
  const roles = rolesOf(ticks, state.catalog.rollupsOf(ticks));
  const asked = sessionsAsked(request);
  const dates = exDatesOf(asked === undefined ? sessionsOfTable(state, ticks) : asked);
  const nowMs = state.clock.nowMs();
  const today = dates.dateOf(Math.max(Math.floor((nowMs * 1e6) / 256) * 256, knownTime(ticks.table, nowMs)));
  const options = {
    mode,
    today,
    symbolOf: (group: number) => String(index.values[symbolAt][group]),
    actionsOf: (symbol: string) => actions.get(symbol) ?? [],
    closeBefore: closeLookup(state, { ticks, index, dates, roles }),
  };
  const factors = new Factors(options);
  const all = (): Int32Array => Int32Array.from({ length: index.count }, (_, group) => group);
  return {
    roles,
    dates,
    factors,
    exDatesOf: (groups) => {
      const found = new Set<number>();
      for (const group of groups ?? all()) for (const date of factors.exDatesOf(group)) found.add(date);
      return [...found].sort((a, b) => a - b);
    },
  };
}

/** Which column of the group key names the symbol: the first of the table's series key. */
function symbolColumn(entry: RowsEntry | RollupEntry, { def }: RowsEntry): number {
  const key = entry.kind === 'rollup' ? entry.groups.key : def.seriesKey;
  const [symbol] = def.seriesKey;
  if (def.kind !== 'state' && symbol !== undefined && key.includes(symbol)) return key.indexOf(symbol);
  throw new CandelaError(
    'UNSUPPORTED',
    `rows of '${entry.def.name}' cannot be adjusted: they are of no one symbol`,
    {
      help: 'Corporate actions go by the first column of the series key of a ticks or bars table.',
    },
  );
}

/** Those of the request's time zone or calendar, null for UTC; undefined where it names none. */
function sessionsAsked(request: BucketingOptions): Bucketing['sessions'] | undefined {
  if (request.timeZone === undefined && request.calendar === undefined) return undefined;
  return createBucketing('1d', bucketingOptions(request)).sessions;
}
