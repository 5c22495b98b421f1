/** Random questions to a database, and whether it answers as the model does. */
import type { Prng } from '../../src/core/prng.ts';
import type { Database, ReadResult, SeriesFilter } from '../../src/engine/database.ts';
import type { Scalar } from '../../src/market/columns.ts';
import { compareScalars, scalarText } from '../../src/testing/naive-bars.ts';
import { compareRows, rowsOf, sorted } from './compare-rows.ts';
import type { BarsWanted, ModelRange, ModelTable } from './engine-model.ts';
import { expectedBars, expectedLatest, expectedLatestBars, expectedRows } from './engine-model.ts';
import { chance, pick } from './random-columns.ts';
import type { ModelRollup } from './random-rollups.ts';
import { nests, timeframes } from './random-rollups.ts';

/** What the checks work on. */
export interface Checked {
  prng: Prng;
  database: Database;
  table: ModelTable;
  /** For doubles, relative. */
  tolerance: number;
  /** Says what is being asked, for the message of a failure. */
  note(what: string): void;
}

/** Reads rows of a random range, all pages of it. */
export async function checkRows(checked: Checked): Promise<void> {
  const { prng, database, table, tolerance } = checked;
  const range = randomRange(checked);
  const expected = expectedRows(table, range);
  const request = { table: table.def.name, ...range };
  checked.note(`read ${describe(request)}`);
  const names = table.def.columns.map(({ name }) => name);
  const columns = chance(prng, 0.3) ? names.filter(() => chance(prng, 0.5)) : undefined;
  const projected = columns
    ? expected.map((row) => columns.map((name) => row[names.indexOf(name)]))
    : expected;
  const read = (cursor?: string): Promise<ReadResult> =>
    database.read({ ...request, ...(columns ? { columns } : {}), ...(cursor ? { cursor } : {}) });
  await comparePages(read, projected, range, tolerance);
}

/** Pages up to here are followed; then the rows so far are compared. */
const pagesMax = 30;

/** Compares page after page; each must be full but the last. */
async function comparePages(
  read: (cursor?: string) => Promise<ReadResult>,
  expected: readonly Scalar[][],
  { limit }: ModelRange,
  tolerance: number,
): Promise<void> {
  const rows: Scalar[][] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < pagesMax; pages++) {
    const page = await read(cursor);
    rows.push(...rowsOf(page));
    if (page.cursor === null) return compareRows(rows, expected, tolerance);
    if (page.rowCount !== limit) throw new Error(`a page of ${page.rowCount} rows has a cursor`);
    cursor = page.cursor;
  }
  compareRows(rows, expected.slice(0, rows.length), tolerance);
}

/** Reads bars of a random rollup and range, all pages of it. */
export async function checkBars(checked: Checked): Promise<void> {
  const { prng, database, table, tolerance } = checked;
  if (table.rollups.length === 0) return;
  const rollup = pick(prng, table.rollups);
  const wanted: BarsWanted = {
    ...randomRange(checked, rollup),
    ...(chance(prng, 0.2) ? { live: false } : {}),
  };
  const request = { table: rollup.def.name, ...wanted };
  checked.note(`read bars ${describe(request)} of ${describe(rollup.def)}`);
  const read = (cursor?: string): Promise<ReadResult> =>
    database.read({ ...request, ...(cursor ? { cursor } : {}) });
  const expected = expectedBars(table, rollup, wanted).map(({ row }) => row);
  await comparePages(read, inGroupOrder(checked, rollup, expected, wanted.order), wanted, tolerance);
}

/** Reads bars merged from those of a random rollup. */
export async function checkDerivedBars(checked: Checked): Promise<void> {
  const { prng, database, table, tolerance } = checked;
  if (table.rollups.length === 0) return;
  const rollup = pick(prng, table.rollups);
  const timeframe = pick(
    prng,
    timeframes.filter((coarse) => nests(rollup.timeframe, coarse, rollup.follows !== undefined)),
  );
  const wanted: BarsWanted = {
    ...randomRange(checked, rollup),
    ...(chance(prng, 0.2) ? { live: false } : {}),
  };
  const request = { table: rollup.def.name, ...wanted, timeframe };
  checked.note(`bars ${describe(request)} of ${describe(rollup.def)}`);
  const read = (cursor?: string): Promise<ReadResult> =>
    database.bars({ ...request, ...(cursor ? { cursor } : {}) });
  const expected = expectedBars(table, rollup, { ...wanted, timeframe }).map(({ row }) => row);
  await comparePages(read, inGroupOrder(checked, rollup, expected, wanted.order), wanted, tolerance);
}

/** Latest rows of the table and latest bars of a random rollup. */
export function checkLatest(checked: Checked): void {
  const { prng, database, table, tolerance } = checked;
  const filter = randomFilter(prng, table, table.def.seriesKey);
  checked.note(`latest ${describe(filter)}`);
  const latest = rowsOf(database.latest(table.def.name, filter));
  compareRows(sorted(latest), sorted(expectedLatest(table, filter)), tolerance);
  if (table.rollups.length === 0) return;
  const rollup = pick(prng, table.rollups);
  const groups = randomFilter(prng, table, rollup.groupBy);
  checked.note(`latest bars ${describe(groups)} of ${describe(rollup.def)}`);
  const bars = rowsOf(database.latest(rollup.def.name, groups));
  compareRows(sorted(bars), sorted(expectedLatestBars(table, rollup, groups)), tolerance);
}

/** SQL over the table and over a random rollup, against the same model. */
export async function checkSql(checked: Checked): Promise<void> {
  const { prng, database, table } = checked;
  const quoted = (name: string): string => `"${name}"`;
  const names = table.def.columns.map(({ name }) => quoted(name)).join(', ');
  checked.note(`sql select from ${table.def.name}`);
  const rows = rowsOf(await database.sql(`select ${names} from ${quoted(table.def.name)}`));
  compareRows(sorted(asNumbers(rows)), sorted(asNumbers(expectedRows(table, {}))), checked.tolerance);
  if (table.rollups.length === 0) return;
  const rollup = pick(prng, table.rollups);
  checked.note(`sql select from ${describe(rollup.def)}`);
  const bars = rowsOf(await database.sql(`select * from ${quoted(rollup.def.name)}`));
  // Increases are derived when bars are read; SQL does not show them.
  const isShown = [
    true,
    ...rollup.groupBy.map(() => true),
    ...rollup.aggregates.map(({ fn }) => fn !== 'increase'),
  ];
  const expected = expectedBars(table, rollup, {}).map(({ row }) =>
    row.filter((_, i) => isShown[i]).map(asNumber),
  );
  // Quotients of sums are DuckDB's.
  const shown = bars.map((row) => row.map(asNumber));
  compareRows(sorted(shown), sorted(expected), Math.max(checked.tolerance, 1e-13));
}

function asNumbers(rows: Scalar[][]): Scalar[][] {
  return rows.map((row) => row.map(asNumber));
}

/**
 * Integers and decimals compare as numbers: SQL shows an unbounded decimal with all the decimals there is room for, and
 * sums of integers beyond 64 bits, where reads give null.
 */
function asNumber(value: Scalar): Scalar {
  if (typeof value === 'bigint') return { coefficient: value, scale: 0 };
  if (value === null || typeof value !== 'object') return value;
  let { coefficient, scale } = value;
  for (; scale > 0 && coefficient % 10n === 0n; scale--) coefficient /= 10n;
  return BigInt.asIntN(64, coefficient) === coefficient ? { coefficient, scale } : null;
}

/** Bars of one start come in the order of their groups' numbers, which is that of `Database.series`. */
function inGroupOrder(
  { database }: Checked,
  rollup: ModelRollup,
  rows: Scalar[][],
  order: 'asc' | 'desc' = 'asc',
): Scalar[][] {
  const known = database
    .series(rollup.def.name)
    .map(({ key }) => scalarText(rollup.groupBy.map((name) => key[name])));
  const numberOf = (row: Scalar[]): number => {
    const group = row.slice(1, 1 + rollup.groupBy.length).map((value) => value ?? '');
    const number = known.indexOf(scalarText(group));
    return number;
  };
  const numbered = rows.map((row) => ({ row, number: numberOf(row) }));
  const sign = order === 'asc' ? 1 : -1;
  numbered.sort((a, b) => sign * (compareScalars(a.row[0], b.row[0]) || a.number - b.number));
  return numbered.map(({ row }) => row);
}

/** A random range of rows, or of bars of a rollup. */
export function randomRange({ prng, table }: Checked, rollup?: ModelRollup): ModelRange {
  const filter = randomFilter(prng, table, rollup?.groupBy ?? table.def.seriesKey);
  return {
    ...(filter ? { series: filter } : {}),
    ...(chance(prng, 0.4) ? { fromNs: randomBound(prng, table) } : {}),
    ...(chance(prng, 0.4) ? { toNs: randomBound(prng, table) } : {}),
    ...(chance(prng, 0.5) ? { order: pick(prng, ['asc', 'desc'] as const) } : {}),
    ...(chance(prng, 0.5) ? { limit: 1 + prng.below(pick(prng, [3, 30, 3000])) } : {}),
  };
}

/** A time near that of some tick. */
function randomBound(prng: Prng, { ticks }: ModelTable): bigint {
  if (ticks.length === 0) return 0n;
  const { timeNs } = pick(prng, ticks);
  return timeNs + pick(prng, [0n, 1n, -1n, 256n, -256n, 60_000_000_000n, -86_400_000_000_000n]);
}

/** Picks some series: exactly, by list or by wildcard; undefined for all. */
export function randomFilter(
  prng: Prng,
  { ticks }: ModelTable,
  key: readonly string[],
): SeriesFilter | undefined {
  if (ticks.length === 0 || key.length === 0 || chance(prng, 0.4)) return undefined;
  const filter: SeriesFilter = {};
  for (const name of key) {
    if (chance(prng, 0.3)) continue;
    const some = (): string | bigint => {
      const value = pick(prng, ticks).values[name];
      return typeof value === 'bigint' || typeof value === 'string' ? value : 'absent';
    };
    const one = some();
    filter[name] = pick(prng, [
      one,
      one,
      [one, some()],
      [some(), 'nobody'],
      `${String(one).slice(0, 1)}*`,
      '*',
    ]);
  }
  return filter;
}

/** For the message of a failure. */
export function describe(value: unknown): string {
  return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ?? 'all';
}
