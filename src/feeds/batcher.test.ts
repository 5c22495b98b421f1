import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { recordingDatabase } from '../../test/support/recording-database.ts';
import { systemClock } from '../core/clock.ts';
import { CandelaError } from '../core/errors.ts';
import { type Logger, silentLogger } from '../core/log.ts';
import type { ColumnDef } from '../market/schema.ts';
import { Batcher, type BatcherOptions } from './batcher.ts';

const columns: ColumnDef[] = [
  { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true }, nullable: false },
  { name: 'symbol', type: { kind: 'text' }, nullable: false },
  { name: 'price', type: { kind: 'double' } },
];

async function setUp(options: Partial<BatcherOptions> = {}) {
  const recording = recordingDatabase();
  await recording.database.createTable({
    name: 'ticks',
    kind: 'ticks',
    columns,
    timeColumn: 'time',
    seriesKey: ['symbol'],
  });
  const lines: { level: string; message: string }[] = [];
  const log: Logger = {
    ...silentLogger,
    warn: (_, message) => lines.push({ level: 'warn', message }),
    error: (_, message) => lines.push({ level: 'error', message }),
  };
  const batcher = new Batcher(
    { database: recording.database, log, clock: systemClock },
    { table: 'ticks', columns: ['time', 'symbol', 'price'], ...options },
  );
  const push = (price: number): boolean => batcher.push([1_700_000_000n * 1_000_000_000n, 'A', price]);
  return { recording, batcher, push, lines };
}

const pricesOf = (recording: { rows(table: string): Record<string, unknown>[] }): unknown[] =>
  recording.rows('ticks').map((row) => row.price);

describe('when a batch is written', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('writes a full batch at once, without waiting for its age', async () => {
    const { recording, push } = await setUp({ rowsMax: 3 });
    for (const price of [1, 2, 3]) push(price);
    await vi.advanceTimersByTimeAsync(0);
    expect(recording.writes.map(({ batch }) => batch.rowCount)).toEqual([3]);
  });

  it('writes a part batch when its first row has reached the age, and not before', async () => {
    const { recording, push } = await setUp({ ageMsMax: 250 });
    push(1);
    await vi.advanceTimersByTimeAsync(200);
    push(2);
    await vi.advanceTimersByTimeAsync(49);
    expect(recording.writes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(pricesOf(recording)).toEqual([1, 2]);
  });

  it('gathers what comes while a write runs into the next one', async () => {
    const { recording, push } = await setUp({ rowsMax: 2 });
    recording.onWrite = () => new Promise((resolve) => setTimeout(resolve, 50));
    for (let price = 0; price < 7; price++) push(price);
    await vi.advanceTimersByTimeAsync(100);
    expect(recording.writes.map(({ batch }) => batch.rowCount)).toEqual([2, 5]);
    expect(pricesOf(recording)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('tells the feed to stop reading at the bound and to go on when there is room', async () => {
    const { recording, batcher, push } = await setUp({ rowsMax: 2, rowsPendingMax: 4 });
    recording.onWrite = () => new Promise((resolve) => setTimeout(resolve, 50));
    expect([push(1), push(2), push(3), push(4)]).toEqual([true, true, true, false]);
    let ready = false;
    void batcher.ready().then(() => {
      ready = true;
    });
    await vi.advanceTimersByTimeAsync(49);
    expect(ready).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(ready).toBe(true);
  });

  it('keeps rows while writes are refused for a while, and writes them once', async () => {
    const { recording, batcher, push, lines } = await setUp({ rowsMax: 2 });
    let failures = 3;
    recording.onWrite = async () => {
      if (failures-- > 0) throw new CandelaError('WRITES_STOPPED', 'the disk is full');
    };
    push(1);
    push(2);
    await vi.advanceTimersByTimeAsync(0);
    expect(batcher.counts().lastError).toBe('the disk is full');
    await vi.advanceTimersByTimeAsync(100 + 200 + 400);
    expect(pricesOf(recording)).toEqual([1, 2]);
    expect(batcher.counts()).toMatchObject({ rowsWritten: 2, rowsRejected: 0, lastError: null });
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(3);
  });

  it('gives up on refused rows only after close has waited, and says how many', async () => {
    const { recording, batcher, push, lines } = await setUp({ closeWaitMs: 1000 });
    recording.onWrite = () => Promise.reject(new CandelaError('WRITES_STOPPED', 'the disk is full'));
    push(1);
    push(2);
    const closed = batcher.close();
    await vi.advanceTimersByTimeAsync(1001);
    await closed;
    expect(batcher.counts()).toMatchObject({ rowsReceived: 2, rowsWritten: 0, rowsRejected: 2 });
    expect(lines.at(-1)).toEqual({ level: 'error', message: 'rows not written: the disk is full' });
  });
});

describe('rejected rows', () => {
  it('leaves out and names rows whose values do not fit, and writes the rest', async () => {
    const { recording, batcher, lines } = await setUp();
    batcher.push(['2024-05-17T09:30:00Z', 'A', '1.5']);
    batcher.push(['yesterday', 'A', 2]);
    batcher.push([1_715_938_200, 'A', Number.POSITIVE_INFINITY]);
    // Year 2286 in nanoseconds: past what 64-bit nanoseconds hold, it would wrap to a time long ago.
    batcher.push([10_000_000_000n * 1_000_000_000n, 'A', 3]);
    batcher.push([1_715_938_200, 'A', null]);
    await batcher.close();
    const ns = 1_715_938_200n * 1_000_000_000n;
    expect(recording.rows('ticks')).toEqual([
      { time: ns, symbol: 'A', price: 1.5 },
      { time: ns, symbol: 'A', price: null },
    ]);
    expect(batcher.counts()).toMatchObject({ rowsReceived: 5, rowsWritten: 2, rowsRejected: 3 });
    expect(lines).toEqual([
      {
        level: 'warn',
        message:
          "3 rows rejected: time: 'yesterday' does not fit the type timestamp; " +
          'price: Infinity does not fit the type double; ' +
          'time: 10000000000000000000 does not fit the type timestamp',
      },
    ]);
  });

  it('counts records that never became rows', async () => {
    const { batcher, lines } = await setUp();
    batcher.reject('no price');
    batcher.reject('no price');
    await batcher.close();
    expect(batcher.counts()).toMatchObject({ rowsReceived: 2, rowsRejected: 2 });
    expect(lines).toEqual([{ level: 'warn', message: '2 rows rejected: no price' }]);
  });

  it('rejects rows that come after the end', async () => {
    const { recording, batcher, push } = await setUp({ ageMsMax: 1 });
    await batcher.close();
    expect(push(1)).toBe(true);
    expect(batcher.counts()).toMatchObject({ rowsReceived: 1, rowsRejected: 1 });
    await batcher.flush();
    expect(recording.writes).toEqual([]);
  });

  it('counts the rows the engine refused', async () => {
    const { recording, batcher, push } = await setUp();
    recording.database.write = async (_, batch) => ({
      lsn: 1,
      rowCount: batch.rowCount - 1,
      duplicates: 0,
      corrected: 0,
      repeated: false,
      rejected: [{ row: 0, column: null, reason: 'time is too old' }],
    });
    push(1);
    push(2);
    await batcher.close();
    expect(batcher.counts()).toMatchObject({ rowsReceived: 2, rowsWritten: 1, rowsRejected: 1 });
  });

  it('counts the rows of a write that can never succeed', async () => {
    const { recording, batcher, push } = await setUp();
    recording.onWrite = () =>
      Promise.reject(new CandelaError('TABLE_NOT_FOUND', "there is no table 'ticks'"));
    push(1);
    await batcher.close();
    expect(batcher.counts()).toMatchObject({
      rowsRejected: 1,
      rowsWritten: 0,
      lastError: "there is no table 'ticks'",
    });
  });
});

it('refuses a column the table does not have', async () => {
  await expect(setUp({ columns: ['time', 'colour'] })).rejects.toThrow(
    "table 'ticks' has no column 'colour'",
  );
});

/** Invariant: whatever the sizes, pauses and passing refusals, every row is written once and in order. */
it('loses nothing and repeats nothing', async () => {
  const step = fc.oneof(
    fc.integer({ min: 1, max: 40 }).map((rows) => ({ rows })),
    fc.constant('pause' as const),
    fc.constant('flush' as const),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 20 }),
      fc.integer({ min: 1, max: 30 }),
      fc.infiniteStream(fc.constantFrom('ok', 'slow')),
      async (steps, rowsMax, answers) => {
        const { recording, batcher, push } = await setUp({ rowsMax, ageMsMax: 1, rowsPendingMax: 50 });
        recording.onWrite = async () => {
          if (answers.next().value === 'slow') await new Promise((resolve) => setTimeout(resolve, 1));
        };
        let pushed = 0;
        for (const each of steps) {
          if (each === 'pause') await new Promise((resolve) => setTimeout(resolve, 1));
          else if (each === 'flush') await batcher.flush();
          else for (let row = 0; row < each.rows; row++) if (!push(pushed++)) await batcher.ready();
        }
        await batcher.close();
        expect(pricesOf(recording)).toEqual(Array.from({ length: pushed }, (_, index) => index));
        expect(batcher.counts()).toMatchObject({ rowsReceived: pushed, rowsWritten: pushed });
      },
    ),
    { numRuns: 100 },
  );
});
