/** Rows that come again: as they were, or with other values. */
import type { Prng } from '../../src/core/prng.ts';
import type { DedupDef, TableDef } from '../../src/market/schema.ts';
import type { ModelTable } from './engine-model.ts';
import { chance, pick } from './random-columns.ts';
import type { Row } from './random-ticks.ts';

/** Some choice of columns that tell ticks apart. */
export function randomDedup(prng: Prng, def: TableDef): DedupDef {
  const names = def.columns.map(({ name }) => name).filter(() => chance(prng, 0.2));
  return { by: chance(prng, 0.3) ? 'row' : names, keep: pick(prng, ['first', 'last'] as const) };
}

/** The batch with some rows of the table, or of itself, in between, some of them with values of other rows. */
export function batchWithRepeats(prng: Prng, { def, ticks }: ModelTable, rows: readonly Row[]): Row[] {
  const likelihood = pick(prng, [0, 0.01, 0.3]);
  return rows.flatMap((row, i) => {
    if (!chance(prng, likelihood)) return [row];
    const again = {
      ...(ticks.length > 0 && chance(prng, 0.8) ? pick(prng, ticks).values : rows[prng.below(i + 1)]),
    };
    for (const { name } of def.columns) {
      const isFixed = name === def.timeColumn || def.seriesKey.includes(name);
      if (!isFixed && chance(prng, 0.3)) again[name] = row[name] ?? null;
      if (again[name] === undefined) delete again[name];
    }
    return [row, again];
  });
}
