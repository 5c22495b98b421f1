import { killAtStep } from './kill-at-step.ts';

/**
 * The program that the engine's crash test kills, in JavaScript: it writes random batches through the embedded API of
 * the built package and changes the catalog, and says on standard output what it begins and what was acknowledged.
 *
 * Arguments: directory, seed, number of its first batch, mode, and the step at which it kills itself: name, which time,
 * ms after. Lines: `tables …` once open; `wrote <batch>`; `<change> <name>` before and `done <change> <name>` after a
 * change of the catalog: `create`, `drop` or `add`; `step <name>`. In mode `close` it closes the database after a
 * while.
 */
export const engineWriter = `${killAtStep}
import { open } from './dist/index.js';

const [directory, seed, first, mode, step, nth, afterMs] = process.argv.slice(1);
const say = (line) => process.stdout.write(line + '\\n');

let state = Number(seed) >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (bound) => Math.floor(random() * bound);

const database = await open({
  ...killAtStep(step, Number(nth), Number(afterMs)),
  directory,
  durability: 'always',
  flushIntervalMs: 60,
  backfillRows: 500,
  sealing: { intervalMs: 40, rowsMin: 200, rowsMax: 2_000_000, idleMs: 600_000 },
});
if (!database.table('trades')) {
  await database.createTable({
    name: 'trades',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'batch', type: { kind: 'int64' }, nullable: false },
      { name: 'row', type: { kind: 'int64' }, nullable: false },
      { name: 'of', type: { kind: 'int64' }, nullable: false },
      { name: 'price', type: { kind: 'double' } },
      { name: 'size', type: { kind: 'decimal', precision: 18, scale: 3 } },
    ],
  });
}
// Half of the processes write corrections; the others write batches side by side.
const isCorrecting = step === 'amend' || Number(seed) % 2 === 0;
await database.alterTable('trades', { dedup: isCorrecting ? { by: ['batch', 'row'], keep: 'last' } : null });
const names = () => database.tables().map(({ name }) => name);
const columns = () => database.table('trades').columns.map(({ name }) => name);
say('tables ' + JSON.stringify({ tables: names(), columns: columns() }));

const base = 1700000000000000n;
let batch = Number(first);

let last;

/** Some rows of the last batch get other prices. */
async function correct() {
  if (!last || !isCorrecting) return;
  const { rowCount, data, fixed } = last;
  for (const name of columns()) if (name.startsWith('extra')) data[name] ??= fixed;
  const price = data.price.values.map((value) => (random() < 0.5 ? value : below(4096) / 16));
  await database.write('trades', { rowCount, columns: { ...data, price: { kind: 'double', values: price } } });
}

async function write() {
  const number = batch++;
  const count = 1 + below(random() < 0.2 ? 2000 : 60);
  const times = new BigInt64Array(count);
  const symbols = new Int32Array(count);
  const rows = Array.from({ length: count }, (_, i) => i);
  for (const i of rows) {
    const late = random() < 0.1 ? below(5_000_000_000) : 0;
    times[i] = (base + BigInt(number * 2_000_000 + below(3_000_000) - late)) * 1000n;
    symbols[i] = below(random() < 0.01 ? 40 : 4);
  }
  const fixed = (value) => ({ kind: 'int64', values: new BigInt64Array(count).fill(BigInt(value)) });
  const data = {
    time: { kind: 'timestamp', values: times },
    symbol: { kind: 'text', dictionary: Array.from({ length: 40 }, (_, i) => 'S' + i), codes: symbols },
    batch: fixed(number),
    row: { kind: 'int64', values: BigInt64Array.from(rows, BigInt) },
    of: fixed(count),
    price: { kind: 'double', values: Float64Array.from(rows, () => (random() < 0.05 ? NaN : below(4096) / 16)) },
    size: {
      kind: 'decimal',
      coefficients: rows.map(() => BigInt(below(100000))),
      scales: new Uint8Array(count).fill(3),
    },
  };
  for (const name of columns()) if (name.startsWith('extra')) data[name] = fixed(number);
  await database.write('trades', { rowCount: count, columns: data });
  say('wrote ' + number);
  last = { rowCount: count, data, fixed: fixed(number) };
}

const candle = [
  { name: 'open', fn: 'first', of: 'price' },
  { name: 'high', fn: 'max', of: 'price' },
  { name: 'close', fn: 'last', of: 'price' },
  { name: 'volume', fn: 'sum', of: 'size' },
];
const again = candle.map(({ name, fn }) => ({ name, fn, of: name }));
const rollups = [
  { name: 'r1s', source: 'trades', timeframe: '1s', aggregates: [...candle, { name: 'n', fn: 'count' }] },
  { name: 'r1m', source: 'r1s', timeframe: '1m', aggregates: [...again, { name: 'n', fn: 'sum', of: 'n' }] },
  { name: 'r1h', source: 'r1m', timeframe: '1h', aggregates: [...again, { name: 'n', fn: 'sum', of: 'n' }] },
  { name: 'all', source: 'trades', timeframe: '1m', groupBy: [], aggregates: [...candle, { name: 'n', fn: 'count' }] },
  { name: 'day', source: 'r1m', timeframe: '1d', groupBy: [], aggregates: again },
];

async function change(kind, name, run) {
  say(kind + ' ' + name);
  await run();
  say('done ' + kind + ' ' + name);
}

async function changeCatalog() {
  const present = new Set(names());
  const missing = rollups.filter(({ name, source }) => !present.has(name) && present.has(source));
  const isRead = (name) =>
    rollups.some((rollup) => rollup.source === name && present.has(rollup.name));
  const leaves = rollups.filter(({ name }) => present.has(name) && !isRead(name));
  const dice = random();
  if (dice < 0.5 && missing.length > 0) {
    const def = missing[below(missing.length)];
    await change('create', def.name, () => database.createRollup(def));
  } else if (dice < 0.8 && leaves.length > 0) {
    const { name } = leaves[below(leaves.length)];
    await change('drop', name, () => database.dropTable(name));
  } else if (columns().length < 20) {
    const name = 'extra' + below(1000000);
    const addColumn = { name, type: { kind: 'int64' } };
    await change('add', name, () => database.alterTable('trades', { addColumn }));
  }
}

async function writer() {
  for (;;) {
    await write();
    if (random() < 0.02) await database.flush();
    if (random() < 0.1) await correct();
  }
}
const changes = async () => {
  for (;;) {
    if (mode === 'catalog') await changeCatalog();
    else await new Promise((resolve) => setTimeout(resolve, 50 + below(300)));
    if (mode !== 'catalog') await changeCatalog();
  }
};
const work = Promise.all([writer(), writer(), writer(), changes()]);
if (mode === 'close') {
  work.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, below(600)));
  await database.close();
} else await work;
`;
