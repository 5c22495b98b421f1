import { describe, expect, it } from 'vitest';
import type { Aggregate, ColumnDef, RollupDef } from '../../market/schema.ts';
import { planRollup, type RollupPlan } from './plan.ts';

const time: ColumnDef = { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } };
const tickColumns: ColumnDef[] = [
  time,
  { name: 'price', type: { kind: 'double' } },
  { name: 'size', type: { kind: 'decimal', precision: 12, scale: 4 } },
  { name: 'lots', type: { kind: 'int64' } },
  { name: 'note', type: { kind: 'text' } },
  { name: 'doc', type: { kind: 'json' } },
  { name: 'flag', type: { kind: 'boolean' } },
];

function plan(aggregates: Aggregate[], options: { over?: RollupPlan; timeframe?: string } = {}): RollupPlan {
  const def: RollupDef = { name: 'bars', source: 'src', timeframe: options.timeframe ?? '1m', aggregates };
  return planRollup(def, { name: 'src', tickColumns, time, rollup: options.over });
}

function refusal(
  aggregates: unknown[],
  options?: { over?: RollupPlan; timeframe?: string },
): [string, string] {
  try {
    plan(aggregates as Aggregate[], options);
  } catch (error) {
    return [(error as { code: string }).code, (error as Error).message];
  }
  return ['', 'accepted'];
}

describe('over ticks', () => {
  it('shares accumulators, and gives each column its type', () => {
    const { slots, outputs } = plan([
      { name: 'sum', fn: 'sum', of: 'size' },
      { name: 'avg', fn: 'avg', of: 'size' },
      { name: 'n', fn: 'count', of: 'size' },
      { name: 'vwap', fn: 'vwap', of: 'price', weight: 'size' },
      { name: 'last', fn: 'last', of: 'note' },
      { name: 'rows', fn: 'count' },
      { name: 'began', fn: 'first-time' },
      { name: 'grown', fn: 'increase', of: 'lots' },
    ]);
    expect(slots.map(({ fn, column }) => `${fn} ${tickColumns[column].name}`)).toEqual([
      'sum size', 'count size', 'product price', 'weight price', 'last note', 'last lots', 'first lots',
    ]); // biome-ignore format: one line
    expect(outputs.map(({ name, type }) => [name, type.kind])).toEqual([
      ['sum', 'decimal'],
      ['avg', 'double'],
      ['n', 'int64'],
      ['vwap', 'double'],
      ['last', 'text'],
      ['rows', 'int64'],
      ['began', 'timestamp'],
      ['grown', 'double'],
    ]);
    expect(outputs[0].type).toEqual({ kind: 'decimal', precision: 38, scale: 4 });
  });

  it.each([
    ['sum', 'note'],
    ['avg', 'flag'],
    ['min', 'doc'],
    ['max', 'flag'],
    ['increase', 'time'],
    ['sum', 'time'],
  ])('refuses %s of %s', (fn, of) => {
    const [code, message] = refusal([{ name: 'x', fn, of }]);
    expect(code).toBe('INVALID_SCHEMA');
    expect(message).toContain(`${fn} does not apply to '${of}'`);
  });

  it('refuses a weight that is no number, and columns that are not there', () => {
    expect(refusal([{ name: 'x', fn: 'vwap', of: 'price', weight: 'note' }])[0]).toBe('INVALID_SCHEMA');
    expect(refusal([{ name: 'x', fn: 'sum', of: 'gone' }])[0]).toBe('COLUMN_NOT_FOUND');
    expect(refusal([{ name: 'x', fn: 'vwap', of: 'price', weight: 'gone' }])[0]).toBe('COLUMN_NOT_FOUND');
  });
});

describe('over a rollup', () => {
  const over = plan([
    { name: 'high', fn: 'max', of: 'price' },
    { name: 'n', fn: 'count', of: 'price' },
    { name: 'mean', fn: 'avg', of: 'price' },
    { name: 'vwap', fn: 'vwap', of: 'price', weight: 'size' },
    { name: 'grown', fn: 'increase', of: 'lots' },
  ]);

  it('goes on with the same accumulators', () => {
    const higher = plan(
      [
        { name: 'high', fn: 'max', of: 'high' },
        { name: 'n', fn: 'sum', of: 'n' },
        { name: 'vwap', fn: 'vwap', of: 'vwap', weight: 'anything' },
        { name: 'grown', fn: 'increase', of: 'grown' },
        { name: 'ended', fn: 'last-time' },
      ],
      { over, timeframe: '1h' },
    );
    for (const slot of higher.slots) expect(over.slots).toContainEqual(slot);
    expect(higher.outputs.map(({ base }) => base.fn)).toEqual([
      'max',
      'count',
      'vwap',
      'increase',
      'last-time',
    ]);
  });

  it.each([
    ['min', 'high'],
    ['sum', 'high'],
    ['avg', 'n'],
    ['count', 'n'],
    ['sum', 'mean'],
    ['last', 'grown'],
  ])('refuses %s of a column that was made otherwise, %s', (fn, of) => {
    expect(refusal([{ name: 'x', fn, of }], { over })[0]).toBe('UNSUPPORTED');
  });

  it('refuses to count bars for ticks, and columns of the ticks', () => {
    expect(refusal([{ name: 'x', fn: 'count' }], { over })[0]).toBe('UNSUPPORTED');
    expect(refusal([{ name: 'x', fn: 'max', of: 'price' }], { over })[0]).toBe('COLUMN_NOT_FOUND');
  });

  it('refuses timeframes that are not whole bars of it', () => {
    for (const timeframe of ['1s', '90s', '61s'])
      expect(refusal([{ name: 'high', fn: 'max', of: 'high' }], { over, timeframe })[0]).toBe(
        'INVALID_SCHEMA',
      );
    const weeks = plan([{ name: 'high', fn: 'max', of: 'price' }], { timeframe: '1w' });
    for (const timeframe of ['1mo', '1y', '7d'])
      expect(refusal([{ name: 'high', fn: 'max', of: 'high' }], { over: weeks, timeframe })[0]).toBe(
        'INVALID_SCHEMA',
      );
  });
});

it('refuses what is no timeframe', () => {
  expect(refusal([{ name: 'x', fn: 'count' }], { timeframe: '7x' })[0]).toBe('INVALID_ARGUMENT');
});
