/**
 * Writers over HTTP against a server that is killed (SIGKILL) again and again at random moments, also while it starts.
 *
 * Every row has an id of its own, and all of it follows from the id. Afterwards: each row of an acknowledged write is
 * there exactly once, each row of a write without an answer at most once, nothing else is there, every value is as
 * written, and the bars of 1s, 1m and 1h are those that this test reckons from the rows.
 *
 * CANDELA_SEED repeats a run, CANDELA_CRASH_ROUNDS makes it longer.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { encodeArrow } from '../../src/codecs/arrow/encode-arrow.ts';
import { createPrng } from '../../src/core/prng.ts';
import { columnOf } from '../../src/market/columns.ts';
import { type CandelaServer, candelaEntry, scratchFolder, startCandela } from '../support/candela.ts';

const seed = Number(process.env.CANDELA_SEED ?? Date.now() % 1_000_000);
const rounds = Number(process.env.CANDELA_CRASH_ROUNDS ?? 24);
const writerCount = 3;
const timeframes = { '1s': 1000, '1m': 60_000, '1h': 3_600_000 };
/** Small, so that rows are flushed to the store often. */
const settings = ['--no-feed', '--memory-budget', '64MiB', '--log-level', 'warn'];

const { folder, remove } = scratchFolder('crash');
const prng = createPrng(seed);
let server: CandelaServer | null = null;

afterAll(async () => {
  await server?.end('SIGKILL');
  remove();
});

interface Row {
  id: number;
  timeNs: bigint;
  symbol: string;
  price: number;
  size: number;
}

/** The row of an id. Times jump about within three hours and differ within a symbol; sums of sizes are exact. */
function rowOf(id: number): Row {
  const random = createPrng(id * 7919 + seed);
  const ms = 1_700_000_000_000 + random.below(3 * 3_600_000);
  return {
    id,
    timeNs: BigInt(ms) * 1_000_000n + BigInt(id % 1_000_000),
    symbol: `S${random.below(4)}`,
    price: 100 + random.below(4000) / 16,
    size: random.below(800) / 8,
  };
}

let nextId = 1;
const acknowledged = new Set<number>();
const unanswered = new Set<number>();

/** Writes batch after batch until the server is gone. */
async function write(url: string): Promise<void> {
  for (;;) {
    const ids = Array.from({ length: 1 + prng.below(1500) }, () => nextId++);
    const isKnown = await send(url, ids.map(rowOf));
    for (const id of ids) (isKnown ? acknowledged : unanswered).add(id);
    if (!isKnown) return;
  }
}

/** True once the server has acknowledged the rows; false when it died. */
async function send(url: string, rows: Row[]): Promise<boolean> {
  const { body, type } = prng.next() < 0.5 ? asJson(rows) : asArrow(rows);
  const request = { method: 'POST', headers: { 'content-type': type }, body };
  const response = await fetch(`${url}/api/v1/write/trades`, request).catch(() => null);
  if (!response) return false;
  const answer = await response.json().catch(() => null);
  if (answer === null) return false;
  expect(answer).toMatchObject({ rowCount: rows.length, rejected: [] });
  return true;
}

function asJson(rows: Row[]): { body: string; type: string } {
  const columns = {
    time: rows.map(({ timeNs }) => String(timeNs)),
    symbol: rows.map(({ symbol }) => symbol),
    price: rows.map(({ price }) => price),
    size: rows.map(({ size }) => size),
    id: rows.map(({ id }) => id),
  };
  return { body: JSON.stringify({ columns }), type: 'application/json' };
}

function asArrow(rows: Row[]): { body: Uint8Array<ArrayBuffer>; type: string } {
  const columns = {
    time: columnOf(
      'timestamp',
      rows.map(({ timeNs }) => timeNs),
    ),
    symbol: columnOf(
      'text',
      rows.map(({ symbol }) => symbol),
    ),
    price: columnOf(
      'double',
      rows.map(({ price }) => price),
    ),
    size: columnOf(
      'double',
      rows.map(({ size }) => size),
    ),
    id: columnOf(
      'int64',
      rows.map(({ id }) => BigInt(id)),
    ),
  };
  const set = { rowCount: rows.length, names: Object.keys(columns), columns: Object.values(columns) };
  const body = encodeArrow(set, 'stream') as Uint8Array<ArrayBuffer>;
  return { body, type: 'application/vnd.apache.arrow.stream' };
}

async function ask<T>(path: string, body?: object): Promise<T> {
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  const response = await fetch(`${server?.url}/api/v1${path}`, body ? request : {});
  const answer = (await response.json()) as T;
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer;
}

async function createTables(): Promise<void> {
  await ask('/tables', {
    name: 'trades',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'price', type: { kind: 'double' } },
      { name: 'size', type: { kind: 'double' } },
      { name: 'id', type: { kind: 'int64' } },
    ],
  });
  const candles = { source: 'trades', price: 'price', volume: 'size', timeframes: Object.keys(timeframes) };
  await ask('/candles', candles);
}

/** Starts a server and kills it before it is up. */
async function killAtStart(): Promise<void> {
  const args = [candelaEntry, 'start', '--data', join(folder, 'data'), '--http-port', '0', ...settings];
  const child: ChildProcess = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore' });
  await new Promise((resolve) => setTimeout(resolve, prng.below(1500)));
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function killWhileWriting(round: number): Promise<void> {
  server = await startCandela(folder, settings);
  if (round === 0) await createTables();
  const writers = Array.from({ length: writerCount }, () => write(server?.url ?? ''));
  // Some rounds last beyond the interval at which the engine flushes by itself.
  const lifeMs = round % 6 === 5 ? 5000 + prng.below(1500) : prng.below(1500);
  await new Promise((resolve) => setTimeout(resolve, lifeMs));
  await server.end('SIGKILL');
  await Promise.all(writers);
}

type Columns<K extends string> = { columns: Record<K, (string | number)[]>; rowCount: number };

/** Every row that is there, straight from the engine's read, page by page. */
async function readRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const from: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    type Page = Columns<'id' | 'time' | 'symbol' | 'price' | 'size'> & { cursor: string | null };
    const page: Page = await ask(`/ticks?table=trades&limit=100000&format=columns&time=ns${from}`);
    for (let row = 0; row < page.rowCount; row++) {
      rows.push({
        id: Number(page.columns.id[row]),
        timeNs: BigInt(page.columns.time[row]),
        symbol: String(page.columns.symbol[row]),
        price: Number(page.columns.price[row]),
        size: Number(page.columns.size[row]),
      });
    }
    cursor = page.cursor;
  }
  return rows;
}

/** Counts only, after each round: what is there lies between what was acknowledged and what was sent. */
async function checkCounts(round: number): Promise<void> {
  const sql = 'SELECT count(*) AS n, count(DISTINCT id) AS ids FROM trades';
  const { rows } = await ask<{ rows: [{ n: number; ids: number }] }>('/sql', { sql });
  const [{ n, ids }] = rows;
  expect(ids, `round ${round}: a row is there twice`).toBe(n);
  expect(n, `round ${round}: acknowledged rows are missing`).toBeGreaterThanOrEqual(acknowledged.size);
  expect(n, `round ${round}: rows nobody sent`).toBeLessThanOrEqual(acknowledged.size + unanswered.size);
}

function checkRows(rows: readonly Row[]): void {
  const times = new Map<number, number>();
  for (const { id } of rows) times.set(id, (times.get(id) ?? 0) + 1);
  expect([...acknowledged].filter((id) => times.get(id) !== 1)).toEqual([]);
  expect([...unanswered].filter((id) => (times.get(id) ?? 0) > 1)).toEqual([]);
  expect(rows.filter(({ id }) => !acknowledged.has(id) && !unanswered.has(id))).toEqual([]);
  const changed = rows.filter((row) => {
    const { timeNs, symbol, price, size } = rowOf(row.id);
    return timeNs !== row.timeNs || symbol !== row.symbol || price !== row.price || size !== row.size;
  });
  expect(changed).toEqual([]);
}

interface Bar {
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  trades: number;
}

/** Bars by `symbol bucket-start`, reckoned from the rows in order of time. */
function barsOf(rows: readonly Row[], widthMs: number): Map<string, Bar> {
  const bars = new Map<string, Bar>();
  const ordered = rows.toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : 1));
  for (const { timeNs, symbol, price, size } of ordered) {
    const start = Math.floor(Number(timeNs / 1_000_000n) / widthMs) * widthMs;
    const key = `${symbol} ${start}`;
    const bar = bars.get(key);
    if (!bar) bars.set(key, { open: price, high: price, low: price, close: price, volume: size, trades: 1 });
    else {
      bar.high = Math.max(bar.high, price);
      bar.low = Math.min(bar.low, price);
      bar.close = price;
      bar.volume += size;
      bar.trades += 1;
    }
  }
  return bars;
}

async function checkBars(rows: readonly Row[], timeframe: keyof typeof timeframes): Promise<void> {
  type Answer = Columns<'time' | 'symbol' | keyof Bar>;
  const { columns, rowCount } = await ask<Answer>(
    `/bars?table=trades&timeframe=${timeframe}&limit=1000000&format=columns&time=ms`,
  );
  const expected = barsOf(rows, timeframes[timeframe]);
  expect(rowCount).toBe(expected.size);
  const wrong: unknown[] = [];
  for (let row = 0; row < rowCount; row++) {
    const key = `${columns.symbol[row]} ${columns.time[row]}`;
    const bar = expected.get(key);
    const names = ['open', 'high', 'low', 'close', 'volume', 'trades'] as const;
    if (!bar || names.some((name) => bar[name] !== columns[name][row])) wrong.push({ key, bar });
  }
  expect(wrong.slice(0, 3)).toEqual([]);
}

it(`acknowledged rows outlive ${rounds} kills (seed ${seed})`, { timeout: 1_200_000 }, async () => {
  process.stdout.write(`http-writer: CANDELA_SEED=${seed}\n`);
  for (let round = 0; round < rounds; round++) {
    await killWhileWriting(round);
    if (prng.next() < 0.25) await killAtStart();
    server = await startCandela(folder, settings);
    if (round > 0 || acknowledged.size > 0) await checkCounts(round);
    await server.end('SIGKILL');
  }
  server = await startCandela(folder, settings);
  const rows = await readRows();
  process.stdout.write(
    `http-writer: ${acknowledged.size} rows acknowledged, ${unanswered.size} unanswered\n`,
  );
  expect(acknowledged.size).toBeGreaterThan(rounds * 100);
  checkRows(rows);
  for (const timeframe of ['1s', '1m', '1h'] as const) await checkBars(rows, timeframe);
  expect(await server.end('SIGTERM')).toBe(0);
});
