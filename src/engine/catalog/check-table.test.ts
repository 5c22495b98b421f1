import { describe, expect, it } from 'vitest';
import type { ColumnDef, TableDef } from '../../market/schema.ts';
import { checkTable } from './check-table.ts';

const time: ColumnDef = { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } };
const symbol: ColumnDef = { name: 'symbol', type: { kind: 'text' } };
const price: ColumnDef = { name: 'price', type: { kind: 'double' } };
const ticks: TableDef = {
  name: 'ticks',
  kind: 'ticks',
  timeColumn: 'time',
  seriesKey: ['symbol'],
  columns: [time, symbol, price],
};

describe('a definition', () => {
  it('comes back complete: time and key may not be null', () => {
    expect(checkTable(ticks).columns.map(({ nullable }) => nullable)).toEqual([false, false, true]);
  });

  const cases: [string, Partial<TableDef>, string][] = [
    ['without columns', { columns: [] }, 'no columns'],
    ['with a name that SQL could not quote', { name: 'a"b' }, 'cannot name'],
    ['with a name like ours', { name: '_ticks' }, 'cannot name'],
    [
      'with a column twice, case aside',
      { columns: [time, symbol, price, { ...price, name: 'Price' }] },
      'declared twice',
    ],
    [
      'of an unknown type',
      { columns: [time, symbol, { name: 'x', type: { kind: 'float' } as never }] },
      'no known type',
    ],
    [
      'with a decimal too wide',
      { columns: [time, symbol, { name: 'x', type: { kind: 'decimal', precision: 39, scale: 2 } }] },
      'precision',
    ],
    ['without a time', { timeColumn: 'when' }, "timeColumn 'when'"],
    ['keyed by a column that is not there', { seriesKey: ['venue'] }, "'venue' is not declared"],
    ['keyed by a double', { seriesKey: ['price'] }, 'neither text nor int64'],
    ['keyed by its time', { seriesKey: ['time'] }, "'time'"],
    ['of an unknown kind', { kind: 'events' as never }, "kind 'events'"],
    ['of bars, with dedup', { kind: 'bars', dedup: { by: [], keep: 'last' } }, 'dedup is for ticks tables'],
    [
      'with dedup by a column that is not there',
      { dedup: { by: ['id'], keep: 'last' } },
      "'id' is not declared",
    ],
    ['that keeps neither', { dedup: { by: 'row', keep: 'both' as never } }, 'neither first nor last'],
    ['plain, with a time column', { kind: 'plain' }, 'no timeColumn'],
  ];
  it.each(cases)('%s is refused by name', (_, change, words) => {
    expect(() => checkTable({ ...ticks, ...change })).toThrow(words);
  });
});
