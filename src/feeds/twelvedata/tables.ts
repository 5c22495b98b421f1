/** The tables of the Twelve Data tutorial: prices as they come, and beside them what the symbols stand for. */
import type { TableDef } from '../../market/schema.ts';
import { candleTimeframes, ensureCandles, ensureTable, type TableMaker } from '../tables.ts';

/** Columns of the price table, in the order in which rows give them. */
export const priceColumns = ['time', 'symbol', 'price', 'day_volume'];

/** Columns of the company table, likewise. */
export const companyColumns = ['symbol', 'name'];

/** Creates both tables and the bars, as far as they are not there. */
export async function ensureTwelveDataTables(
  database: TableMaker,
  tables: { prices: string; company: string; timeframes?: readonly string[] },
): Promise<void> {
  const { prices, company, timeframes = candleTimeframes } = tables;
  await ensureTable(database, priceTable(prices));
  await ensureTable(database, companyTable(company));
  await ensureCandles(database, {
    source: prices,
    price: 'price',
    cumulativeVolume: 'day_volume',
    timeframes: [...timeframes],
  });
}

/** Prices: a ticks table with one series a symbol. */
export function priceTable(name: string): TableDef {
  return {
    name,
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true }, nullable: false },
      { name: 'symbol', type: { kind: 'text' }, nullable: false },
      { name: 'price', type: { kind: 'double' } },
      { name: 'day_volume', type: { kind: 'double' } },
    ],
  };
}

function companyTable(name: string): TableDef {
  return {
    name,
    kind: 'plain',
    seriesKey: ['symbol'],
    columns: [
      { name: 'symbol', type: { kind: 'text' }, nullable: false },
      { name: 'name', type: { kind: 'text' }, nullable: false },
    ],
  };
}
