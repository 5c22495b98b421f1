import { describe, expect, it } from 'vitest';
import type { TableDef } from '../../market/schema.ts';
import { columnsToCreate, planImport } from './plan-import.ts';

const table: TableDef = {
  name: 'trades',
  kind: 'ticks',
  timeColumn: 'time',
  seriesKey: ['symbol'],
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true }, nullable: false },
    { name: 'symbol', type: { kind: 'text' }, nullable: false },
    { name: 'price', type: { kind: 'double' } },
  ],
};
const none = { map: new Map<string, string>(), symbol: null, timeZone: null };
const file = (...names: string[]) => names.map((name) => ({ name, values: [] }));

describe('which column fills which', () => {
  it('goes by name, then by name but for case, and tells what is left over', () => {
    const plan = planImport(table, file('Time', 'symbol', 'price', 'PRICE', 'id'), none);
    expect([...plan.sources]).toEqual([
      ['time', 'Time'],
      ['symbol', 'symbol'],
      ['price', 'price'],
    ]);
    expect(plan.unused).toEqual(['PRICE', 'id']);
  });

  it('goes by the map first', () => {
    const map = new Map([['time', 'ts']]);
    const plan = planImport(table, file('ts', 'time', 'symbol'), { ...none, map });
    expect(plan.sources.get('time')).toBe('ts');
    expect(plan.unused).toEqual(['time']);
  });

  it('takes one symbol for every row', () => {
    const plan = planImport(table, file('time', 'price'), { ...none, symbol: 'AAPL' });
    expect([...plan.constants]).toEqual([['symbol', 'AAPL']]);
  });

  it('reads local times only where the file has text', () => {
    const zoned = { ...none, symbol: 'A', timeZone: 'Asia/Shanghai' };
    expect(planImport(table, file('time'), zoned).readTime).not.toBeNull();
    const typed = [
      { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } as const, values: [] },
    ];
    expect(planImport(table, typed, zoned).readTime).toBeNull();
  });
});

describe('what makes no sense', () => {
  it.each([
    ['a column the table does not have', new Map([['volume', 'a']]), "table 'trades' has no column 'volume'"],
    ['a column the file does not have', new Map([['price', 'p']]), "the file has no column 'p'"],
    ['one column for two', new Map([['price', 'time']]), 'two columns take one column of the file'],
  ])('%s', (_what, map, message) => {
    expect(() => planImport(table, file('time', 'symbol'), { ...none, map })).toThrow(message);
  });

  it('a file without what the table needs', () => {
    expect(() => planImport(table, file('price'), none)).toThrow(
      "no column of the file fills 'time', 'symbol'",
    );
  });
});

it('names columns of a new table by the map and adds the symbol', () => {
  const choices = { ...none, map: new Map([['time', 'ts']]), symbol: 'AAPL' };
  expect(columnsToCreate(file('ts', 'p'), choices).map(({ name }) => name)).toEqual(['time', 'p', 'symbol']);
});
