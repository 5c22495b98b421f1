/**
 * Schemas of what tables and rollups are defined by, and of how they are shown. Each has every field of its type (the
 * compiler sees to it), and takes no other, so that a misspelt one is not passed over. What the values mean, the
 * engine checks.
 */
import type {
  Aggregate,
  CandlesDef,
  ColumnDef,
  DedupDef,
  RollupDef,
  TableDef,
} from '../../../market/schema.ts';
import type { Schema } from '../schemas.ts';
import type { WireTable } from '../wire.ts';

/** An object of these fields and no others. */
function exactly<T>(
  properties: Record<keyof Required<T>, Schema>,
  required: (keyof T)[],
  more: Schema = {},
): Schema {
  return { type: 'object', properties, required, additionalProperties: false, ...more };
}

const text = (description: string): Schema => ({ type: 'string', description });
const texts = (description: string): Schema => ({ type: 'array', items: { type: 'string' }, description });
const oneOf = (values: string[], description: string): Schema => ({
  type: 'string',
  enum: values,
  description,
});

const role = oneOf(['price', 'size'], 'What splits and dividends do to the values; default nothing.');
const gaps = oneOf(['none', 'flat', 'null'], 'Bars that reads make up for empty buckets; default none.');
const retention = text('How long rows are kept, such as 30d; for ever without it.');

const bucketing: Record<'timeZone' | 'calendar' | 'weekStart', Schema> = {
  timeZone: text('Days and longer units of this zone; default UTC.'),
  calendar: {
    anyOf: [{ type: 'object', additionalProperties: true }, { type: 'string' }],
    description: 'Sessions of a market: the name of a calendar that ships, or one of your own.',
  },
  weekStart: text('Day that weeks start with; default monday.'),
};

const column = exactly<ColumnDef>(
  {
    name: text('Name of the column.'),
    type: {
      type: 'object',
      required: ['kind'],
      additionalProperties: false,
      properties: {
        kind: oneOf(
          ['double', 'int64', 'decimal', 'text', 'json', 'boolean', 'timestamp'],
          'Kind of its values.',
        ),
        precision: { type: 'integer', description: 'Decimals: digits at the most; with scale, or neither.' },
        scale: { type: 'integer', description: 'Decimals: digits behind the point.' },
        unit: oneOf(['us', 'ns'], 'Timestamps: what is kept.'),
        zone: { type: 'boolean', description: "Timestamps: false is SQL's timestamp without time zone." },
      },
    },
    nullable: { type: 'boolean', description: 'May a row leave it out? Default true.' },
    role,
  },
  ['name', 'type'],
);

const dedup = exactly<DedupDef>(
  {
    by: {
      anyOf: [{ const: 'row' }, { type: 'array', items: { type: 'string' } }],
      description: 'Columns that tell ticks of one time and series apart, or row: all of them.',
    },
    keep: oneOf(['first', 'last'], 'Which of those that are the same.'),
  },
  ['by', 'keep'],
  { description: 'Which ticks are the same; without it all are kept.' },
);

/** What `PATCH /tables/NAME` takes: null for none. */
export const changedDedup: Schema = {
  anyOf: [dedup, { type: 'null' }],
  description: 'Ticks tables: which ticks are the same from now on; null: none.',
};

const aggregate: Schema = exactly<Extract<Aggregate, { fn: 'vwap' }>>(
  {
    name: text('Name of the column.'),
    fn: oneOf(
      ['first', 'last', 'min', 'max', 'sum', 'avg', 'increase', 'count', 'vwap', 'first-time', 'last-time'],
      'What is made of the ticks.',
    ),
    of: text('Column of the source; count without it counts rows.'),
    weight: text('vwap: column of weights.'),
  },
  ['name', 'fn'],
);

/** A column to add: what `PATCH /tables/NAME` takes. */
export const addedColumn: Schema = { ...column, examples: [{ name: 'venue', type: { kind: 'text' } }] };

const tableFields: Record<keyof Required<TableDef>, Schema> = {
  name: text('Name of the table.'),
  kind: oneOf(
    ['ticks', 'bars', 'state', 'plain'],
    'ticks: an append stream; bars: a row per series and time; state: the last row per series; plain: relational.',
  ),
  columns: { type: 'array', items: column, minItems: 1, description: 'In order.' },
  timeColumn: text('Ticks and bars: the time.'),
  seriesKey: texts('Columns that name a series, such as symbol; plain tables: the primary key.'),
  dedup,
  retention,
  coldAfter: text('Ticks: when rows go to Parquet files beside the database, such as 90d; never without it.'),
};

/** What `POST /tables` takes. */
export const tableDefinition: Schema = exactly<TableDef>(
  tableFields,
  ['name', 'kind', 'columns', 'seriesKey'],
  {
    description: 'The table.',
    examples: [
      {
        name: 'trades',
        kind: 'ticks',
        timeColumn: 'time',
        seriesKey: ['symbol'],
        columns: [
          { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
          { name: 'symbol', type: { kind: 'text' } },
          { name: 'price', type: { kind: 'double' } },
          { name: 'size', type: { kind: 'double' } },
        ],
      } satisfies TableDef,
    ],
  },
);

/** What `POST /rollups` takes. */
export const rollupDefinition: Schema = exactly<RollupDef>(
  {
    name: text('Name of the rollup.'),
    source: text('Ticks table, or a rollup that this one continues.'),
    timeframe: text('Such as 1s, 5m, 1h, 1d.'),
    groupBy: texts("Columns to group by; default the source's series key."),
    aggregates: { type: 'array', items: aggregate, minItems: 1, description: 'Columns of the bars.' },
    timeColumn: text("Name of the time of the bars; default the source's."),
    retention,
    roles: { type: 'object', additionalProperties: role, description: "Roles of the ticks table's columns." },
    gaps,
    ...bucketing,
  },
  ['name', 'source', 'timeframe', 'aggregates'],
  {
    description: 'The rollup.',
    examples: [
      {
        name: 'trades_5m',
        source: 'trades_1m',
        timeframe: '5m',
        aggregates: [
          { name: 'high', fn: 'max', of: 'high' },
          { name: 'volume', fn: 'sum', of: 'volume' },
        ],
      } satisfies RollupDef,
    ],
  },
);

/** What `POST /candles` takes. */
export const candlesDefinition: Schema = exactly<CandlesDef>(
  {
    source: text('Ticks table.'),
    price: text('Column of prices.'),
    volume: text('Column of sizes …'),
    cumulativeVolume: text('… or of a running total whose growth is the volume.'),
    timeframes: { ...texts('Each becomes a rollup.'), minItems: 1 },
    prefix: text('What names begin with, before _1m and so on; default the name of the ticks table.'),
    gaps,
    ...bucketing,
  },
  ['source', 'price', 'timeframes'],
  {
    description: 'The candles.',
    examples: [
      {
        source: 'trades',
        price: 'price',
        volume: 'size',
        timeframes: ['1s', '1m', '1h', '1d'],
      } satisfies CandlesDef,
    ],
  },
);

/** How a table or a rollup is shown. */
export const shownTable: Record<keyof WireTable, Schema> = {
  ...tableFields,
  version: { type: 'integer', description: 'Counts changes of the definition, from 1.' },
  seriesCount: { type: 'integer' },
  rowCount: { type: 'integer', description: 'Rows ever written, or -1 where they are not counted.' },
  rollup: {
    type: ['object', 'null'],
    description: 'The definition of a rollup.',
    additionalProperties: true,
  },
  backfill: {
    type: ['object', 'null'],
    description:
      'While a rollup is filled from history, newest first: bars of before that time are not whole yet.',
    properties: { doneDownToNs: { type: 'string' } },
  },
  timeframes: texts('Ticks tables: those that can be read without merging.'),
};
