/** What the log costs the thread: encoding a batch and its checksum, without the disk. */

import { crc32c } from '../../src/core/checksum.ts';
import { decodeFrame, encodeFrame, stampHeader, type WalFrame } from '../../src/engine/wal/frame.ts';
import type { Figure, Scenario } from '../harness/scenario.ts';
import { startStopwatch, threadRates } from '../support/stopwatch.ts';
import { makeTicks, type Ticks } from '../support/ticks.ts';

/** Scenarios for batches of 256, 8,192 and 65,536 rows. */
export const walScenarios: Scenario[] = [256, 8_192, 65_536].map((batchRows) => ({
  name: `wal-encode-${batchRows}`,
  title: `log frames of ${batchRows.toLocaleString('en')} ticks encoded and checksummed`,
  rows: 8_000_000,
  runs: [
    { name: 'candela', run: async ({ rows }) => encode(makeTicks(rows), batchRows) },
    { name: 'checksum alone', run: async ({ rows }) => checksum(makeTicks(rows), batchRows) },
  ],
}));

function encode(ticks: Ticks, batchRows: number): Figure[] {
  let bytes = 0;
  let chunks: Uint8Array[] = [];
  let from = 0;
  const elapsed = startStopwatch();
  for (let lsn = 1; from + batchRows <= ticks.count; from += batchRows, lsn++) {
    chunks = encodeFrame(frameOf(ticks, from, from + batchRows), lsn);
    stampHeader(chunks[0], lsn - 1, 1);
    for (const chunk of chunks) bytes += chunk.length;
  }
  const took = elapsed();
  const last = decodeFrame(Buffer.concat(chunks));
  const prices = last.columns[1].data;
  if (prices.kind !== 'double' || prices.values[batchRows - 1] !== ticks.prices[from - 1])
    throw new Error('the last frame does not decode to what was encoded');
  if (bytes < from * 28) throw new Error(`${bytes} bytes for ${from} rows`);
  return threadRates(from, took);
}

function checksum(ticks: Ticks, batchRows: number): Figure[] {
  const bytes = Buffer.alloc(batchRows * 28, 7);
  let rows = 0;
  let sum = 0;
  const elapsed = startStopwatch();
  for (; rows + batchRows <= ticks.count; rows += batchRows) sum ^= crc32c(bytes);
  const took = elapsed();
  if (Number.isNaN(sum)) throw new Error('no checksum');
  return threadRates(rows, took);
}

function frameOf(ticks: Ticks, from: number, to: number): Omit<WalFrame, 'lsn'> {
  return {
    kind: 'rows',
    table: 1,
    rowCount: to - from,
    firstSeries: 0,
    newSeries: [],
    series: ticks.symbols.subarray(from, to),
    columns: [
      { id: 0, data: { kind: 'timestamp', values: ticks.timesNs.subarray(from, to) } },
      { id: 2, data: { kind: 'double', values: ticks.prices.subarray(from, to) } },
      { id: 3, data: { kind: 'double', values: ticks.sizes.subarray(from, to) } },
    ],
    batchId: '',
    answer: null,
  };
}
