/** One symbol's ticks out of many sealed ones: how fast they are read, and what each takes on disk. */
import { statSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { open } from '../../src/engine/open.ts';
import type { Figure, Scenario } from '../harness/scenario.ts';
import {
  createRawTicks,
  createTable,
  dayStartUs,
  dayUs,
  evenTicks,
  hourUs,
  writeTicks,
} from '../support/even-ticks.ts';
import { rawNumbers, withDuckDb } from '../support/plain-duckdb.ts';
import { sealAtOnce, sealed } from '../support/sealing.ts';
import { withTemporaryDirectory } from '../support/temporary-directory.ts';
import { symbolCount, symbolNames } from '../support/ticks.ts';
import { medianMs } from '../support/timing.ts';

const reads = 200;
const days = 7;

/** See the head of this file. */
export const sealedReadScenario: Scenario = {
  name: 'sealed-read',
  title: `p50 of ${reads} reads of one symbol's hour of raw ticks out of ${days} days of ${symbolCount} symbols`,
  rows: 10_000_000,
  target: 'with 100,000,000 rows: 3 ms; 11 bytes a tick',
  runs: [
    { name: 'candela, sealed', run: ({ rows }) => withTemporaryDirectory((at) => readOurs(at, rows)) },
    {
      name: 'DuckDB, in order of arrival',
      run: ({ rows }) => withTemporaryDirectory((at) => readRaw(at, rows)),
    },
  ],
};

async function readOurs(directory: string, rows: number): Promise<Figure[]> {
  const ticks = evenTicks('ticks', rows, dayStartUs, days * dayUs);
  const filled = await open({ directory, durability: 'none', sealing: sealAtOnce });
  await createTable(filled, ticks);
  await writeTicks(filled, ticks);
  await sealed(filled, rows);
  await filled.close();
  // Opened anew with little memory: the hours read are on disk alone.
  const database = await open({ directory, memoryBytesMax: 32 * 2 ** 20 });
  const value = await timed(rows, async ({ symbol, fromUs }) => {
    const { rowCount } = await database.read({
      table: 'ticks',
      series: { symbol },
      fromNs: BigInt(fromUs) * 1000n,
      toNs: BigInt(fromUs + hourUs) * 1000n,
    });
    return rowCount;
  });
  await database.close();
  const file = `${directory}/market.duckdb`;
  return [
    { label: 'read', value, unit: 'ms' },
    { label: 'in use on disk', value: (await blockBytes(file)) / rows, unit: 'B/row' },
    { label: 'file', value: statSync(file).size / rows, unit: 'B/row' },
  ];
}

const blockBytesSql = 'SELECT used_blocks * block_size FROM pragma_database_size()';

/** Bytes of the blocks that hold something; the others of the file are used again. */
async function blockBytes(file: string): Promise<number> {
  const instance = await DuckDBInstance.create(file, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const [[bytes]] = await rawNumbers(connection, blockBytesSql);
  connection.closeSync();
  instance.closeSync();
  return bytes;
}

function readRaw(directory: string, rows: number): Promise<Figure[]> {
  return withDuckDb(directory, async (connection) => {
    await createRawTicks(connection, evenTicks('ticks', rows, dayStartUs, days * dayUs));
    await connection.run('CHECKPOINT');
    const value = await timed(rows, async ({ symbol, fromUs }) => {
      const result = await connection.runAndReadAll(
        `SELECT * FROM ticks WHERE symbol = '${symbol}' AND time >= make_timestamptz(${fromUs})
           AND time < make_timestamptz(${fromUs + hourUs}) ORDER BY time`,
      );
      return result.currentRowCount;
    });
    const [[size]] = await rawNumbers(connection, blockBytesSql);
    return [
      { label: 'read', value, unit: 'ms' },
      { label: 'in use on disk', value: size / rows, unit: 'B/row' },
    ];
  });
}

interface Hour {
  symbol: string;
  fromUs: number;
}

/** Hours of symbols all over the table. */
function timed(rows: number, read: (hour: Hour) => Promise<number>): Promise<number> {
  const perHour = rows / days / 24 / symbolCount;
  return medianMs(reads, async (i) => {
    const symbol = symbolNames[(i * 37) % symbolCount];
    const rowCount = await read({ symbol, fromUs: dayStartUs + ((i * 29) % (days * 24)) * hourUs });
    if (Math.abs(rowCount - perHour) > 2) throw new Error(`${rowCount} ticks in an hour, not ${perHour}`);
  });
}
