import { describe, expect, it } from 'vitest';
import type { ColumnType } from '../../market/schema.ts';
import { inferTable, inferType } from './infer-schema.ts';

describe('the type of a column', () => {
  it.each<[string, unknown[], ColumnType]>([
    ['whole numbers', ['1', '-20', ''], { kind: 'int64' }],
    ['numbers', ['1', '2.5', '1e-8'], { kind: 'double' }],
    ['whole numbers beyond int64', ['9223372036854775808'], { kind: 'double' }],
    ['codes with a leading zero', ['000001', '600000'], { kind: 'text' }],
    ['times', ['2024-05-17 09:30:00', '2024-05-17'], { kind: 'timestamp', unit: 'us', zone: true }],
    [
      'times to the nanosecond',
      ['2024-05-17T09:30:00.000000001Z'],
      { kind: 'timestamp', unit: 'ns', zone: true },
    ],
    ['truth', ['true', 'FALSE', null], { kind: 'boolean' }],
    ['JSON values', [{ a: 1 }, null, [2]], { kind: 'json' }],
    ['anything else', ['1', 'x'], { kind: 'text' }],
    ['nothing at all', ['', null], { kind: 'text' }],
  ])('%s', (_what, values, type) => {
    expect(inferType(values)).toEqual(type);
  });
});

const request = { table: 't', seriesKey: null, types: new Map<string, ColumnType>() };

describe('the table', () => {
  it('is of ticks when there is a time', () => {
    const table = inferTable(
      [
        { name: 'symbol', values: ['A'] },
        { name: 'time', values: ['1717171717123456789'] },
        { name: 'price', values: ['1.5'] },
      ],
      request,
    );
    expect(table).toEqual({
      name: 't',
      kind: 'ticks',
      timeColumn: 'time',
      seriesKey: ['symbol'],
      columns: [
        { name: 'symbol', type: { kind: 'text' }, nullable: false },
        { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true }, nullable: false },
        { name: 'price', type: { kind: 'double' } },
      ],
    });
  });

  it('is of bars when there are open, high, low and close as well', () => {
    const names = ['date', 'open', 'high', 'low', 'close'];
    const sample = names.map((name) => ({ name, values: [name === 'date' ? '2024-05-17' : '1'] }));
    expect(inferTable(sample, request)).toMatchObject({ kind: 'bars', timeColumn: 'date', seriesKey: [] });
  });

  it('takes a column of times of any name, and the key and types it is told', () => {
    const sample = [
      { name: 'venue', values: ['1'] },
      { name: 'executed', values: ['2024-05-17T09:30:00Z'] },
      { name: 'price', values: ['1'] },
    ];
    const types = new Map<string, ColumnType>([['price', { kind: 'decimal' }]]);
    const table = inferTable(sample, { ...request, seriesKey: ['venue'], types });
    expect(table).toMatchObject({ kind: 'ticks', timeColumn: 'executed', seriesKey: ['venue'] });
    expect(table.columns[2].type).toEqual({ kind: 'decimal' });
  });

  it('believes names and most rows, not a bad one', () => {
    const sample = [
      { name: 'Time', values: ['n/a', '2024-05-17T09:30:00Z', '2024-05-17T09:30:01Z'] },
      { name: 'symbol', values: ['A', 'A', 'A'] },
      { name: 'price', values: ['1.5', '?', '2'] },
      { name: 'size', values: ['1', '2', 'many'] },
      { name: 'venue', values: ['1', '2', 'X'] },
    ];
    const { kind, timeColumn, columns } = inferTable(sample, request);
    expect([kind, timeColumn]).toEqual(['ticks', 'Time']);
    const kinds = ['timestamp', 'text', 'double', 'int64', 'text'];
    expect(columns.map(({ type }) => type.kind)).toEqual(kinds);
  });

  it('is plain where few of the times can be read', () => {
    const sample = [{ name: 'date', values: ['soon', 'later', '2024-05-17'] }];
    expect(inferTable(sample, request)).toMatchObject({
      kind: 'plain',
      columns: [{ type: { kind: 'text' } }],
    });
  });

  it('is plain without a time', () => {
    const sample = [
      { name: 'symbol', values: ['AAPL'] },
      { name: 'name', values: ['Apple'] },
    ];
    expect(inferTable(sample, request)).toMatchObject({ kind: 'plain', seriesKey: ['symbol'] });
  });
});
