/** Sealing as readers meet it: rows get into series order by themselves, and no answer changes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Logger, silentLogger } from '../../core/log.ts';
import { createPrng } from '../../core/prng.ts';
import { columnOf, textColumn, valueAt } from '../../market/columns.ts';
import type { Database } from '../database.ts';
import { open } from '../open.ts';

const symbols = ['AAA', 'BBB', 'CCC', 'DDD'];
const t0 = 1_700_006_400n * 1_000_000_000n; // 2023-11-15T00:00:00Z
const daySeconds = 86_400;

let directory: string;
let database: Database;
/** Rows of each sealing of ticks since the start. */
let sealed: number[];

const log: Logger = {
  ...silentLogger,
  debug: (...args: unknown[]) => {
    const { table, rowCount } = args[0] as { table: number; rowCount: number };
    if (args[1] === 'sealed' && table === 1) sealed.push(rowCount);
  },
} as Logger;

const reopen = async (rowsMax: number): Promise<void> => {
  sealed = [];
  const sealing = { intervalMs: 20, rowsMin: 200, rowsMax, idleMs: 3_600_000 };
  // A small budget, so that reads meet the store.
  database = await open({ directory, log, flushIntervalMs: 20, memoryBytesMax: 1_000_000, sealing });
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'candela-seal-'));
  await reopen(5_000);
  await database.createTable({
    name: 'trades',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'price', type: { kind: 'double' } },
    ],
  });
  await database.createCandles({ source: 'trades', price: 'price', timeframes: ['1m', '1h'] });
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

/** Rows at whole seconds of some days, in time order, many with equal times. */
async function write(fromDay: number, days: number, perDay: number, seed: number): Promise<void> {
  const prng = createPrng(seed);
  for (let day = fromDay; day < fromDay + days; day++) {
    const seconds = Array.from({ length: perDay }, () => prng.below(daySeconds / 60) * 60).sort(
      (a, b) => a - b,
    );
    await database.write('trades', {
      rowCount: perDay,
      columns: {
        time: columnOf(
          'timestamp',
          seconds.map((second) => t0 + BigInt(day * daySeconds + second) * 1_000_000_000n),
        ),
        symbol: textColumn(seconds.map(() => symbols[prng.below(symbols.length)])),
        price: columnOf(
          'double',
          seconds.map(() => prng.below(10_000) / 100),
        ),
      },
    });
  }
}

/** Every way to read the rows, as text. */
async function answers(): Promise<string> {
  const sets = [
    await database.read({ table: 'trades', series: { symbol: 'BBB' } }),
    await database.read({ table: 'trades', order: 'desc', limit: 777 }),
    await database.bars({ table: 'trades', timeframe: '1m', series: { symbol: 'CCC' } }),
    await database.sql(
      'SELECT symbol, count(*), round(sum(price), 6), max(time) FROM trades GROUP BY 1 ORDER BY 1',
    ),
    await database.sql('SELECT * FROM trades_1h ORDER BY ALL'),
  ];
  return sets
    .map(({ columns, rowCount }) =>
      Array.from({ length: rowCount }, (_, row) => columns.map((column) => valueAt(column, row)).join()).join(
        '\n',
      ),
    )
    .join('\n\n');
}

/** How many runs of one series the stored rows of some days make, as they lie. */
async function runs(days: number): Promise<number> {
  const before = new Date(Number(t0 / 1_000_000n) + days * daySeconds * 1000).toISOString();
  // The first table's rows; a plain scan delivers them as they lie.
  const { columns, rowCount } = await database.sql(`SELECT _sid FROM candela.t8 WHERE time < '${before}'`);
  let count = 0;
  for (let row = 0; row < rowCount; row++)
    if (row === 0 || valueAt(columns[0], row) !== valueAt(columns[0], row - 1)) count++;
  return count;
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let wait = 0; !isTrue(); wait++) {
    if (wait > 1000) throw new Error('waited too long');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const sealedRows = (): number => sealed.reduce((a, b) => a + b, 0);

it('seals closed days, changes no answer, and does not begin anew after a restart', async () => {
  await write(0, 6, 1_000, 1);
  const before = await answers();
  // Five days are behind the watermark.
  await until(() => sealedRows() >= 5_000);
  expect(await runs(5)).toBeLessThanOrEqual(5 * symbols.length);
  expect(await answers()).toBe(before);
  await database.close();
  await reopen(5_000);
  expect(await answers()).toBe(before);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(sealed).toEqual([]);
});

it('seals a day again when enough late rows came to it', async () => {
  await write(0, 6, 1_000, 2);
  await until(() => sealedRows() >= 5_000);
  await write(2, 1, 50, 3);
  await database.flush();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await runs(5)).toBeGreaterThan(5 * symbols.length);
  await write(2, 1, 600, 4);
  const before = await answers();
  const done = sealedRows();
  await until(() => sealedRows() >= done + 1_650);
  expect(await runs(5)).toBeLessThanOrEqual(5 * symbols.length);
  expect(await answers()).toBe(before);
});

it('takes a day with more rows than a step sorts in parts', async () => {
  await write(0, 2, 12_000, 5);
  const before = await answers();
  await until(() => sealedRows() >= 12_000);
  expect(Math.max(...sealed)).toBeLessThanOrEqual(5_000);
  expect(await answers()).toBe(before);
});

it('forgets a dropped table', async () => {
  await write(0, 3, 1_000, 6);
  await until(() => sealedRows() >= 2_000);
  await database.dropTable('trades_1h');
  await database.dropTable('trades_1m');
  await database.dropTable('trades');
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { rowCount } = await database.sql("SELECT key FROM candela.documents WHERE key LIKE 'seal/%'");
  expect(rowCount).toBe(0);
});
