/** A random ticks table, empty, and the source of its rows. */
import type { Prng } from '../../src/core/prng.ts';
import type { ColumnDef, TableDef, TableKind } from '../../src/market/schema.ts';
import type { ModelTable } from './engine-model.ts';
import type { Doubles, RandomColumn } from './random-columns.ts';
import { chance, pick, randomColumns, randomKey } from './random-columns.ts';
import type { TickSource } from './random-ticks.ts';
import { randomClock } from './random-ticks.ts';

/** See {@link randomTable}. */
export interface RandomTable {
  table: ModelTable;
  source: TickSource;
  /** Columns it does not have yet. */
  spare: RandomColumn[];
}

/** Named `ticks`, of the kind given. */
export function randomTable(prng: Prng, kind: TableKind, doubles: Doubles): RandomTable {
  const columns = randomColumns(prng, doubles);
  const used = columns.filter(({ name }) => name === 'price' || chance(prng, 0.5));
  const key = randomKey(prng);
  const time: ColumnDef = {
    name: 'time',
    type: { kind: 'timestamp', unit: pick(prng, ['us', 'ns'] as const), zone: chance(prng, 0.5) },
    nullable: false,
  };
  const def: TableDef = {
    name: 'ticks',
    kind,
    timeColumn: 'time',
    seriesKey: key.columns.map(({ name }) => name),
    columns: [
      time,
      ...key.columns.map((column) => ({ ...column, nullable: false })),
      ...used.map(({ name, type }) => ({ name, type, nullable: name !== 'price' && chance(prng, 0.8) })),
    ],
  };
  return {
    table: { def, ticks: [], arrivals: 0, rollups: [] },
    source: { prng, def, columns: used, keys: key.values, clock: randomClock(prng), counters: new Map() },
    spare: columns.filter((column) => !used.includes(column)),
  };
}
