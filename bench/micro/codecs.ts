/** Text and Arrow to batches and back: what a write or an answer over HTTP costs beside the engine. */
import { decodeArrow } from '../../src/codecs/arrow/decode-arrow.ts';
import { encodeArrow } from '../../src/codecs/arrow/encode-arrow.ts';
import { decodeCsv } from '../../src/codecs/decode/decode-csv.ts';
import { decodeJson, decodeNdjson } from '../../src/codecs/decode/decode-json.ts';
import type { DecodedRows } from '../../src/codecs/decode/decoded-rows.ts';
import { encodeCsv } from '../../src/codecs/encode/encode-csv.ts';
import { encodeJsonColumns, encodeJsonRows, encodeNdjson } from '../../src/codecs/encode/encode-json.ts';
import type { TimeFormat } from '../../src/codecs/encode/time-text.ts';
import type { ColumnSet } from '../../src/market/columns.ts';
import type { Figure, Run, Scenario } from '../harness/scenario.ts';
import { startStopwatch, threadRates } from '../support/stopwatch.ts';
import { makeTicks, tickBatch, tradesTable } from '../support/ticks.ts';

const batchRows = 65_536;
const limits = { rowsMax: batchRows };

/** A form of rows as bytes. */
interface Form {
  name: string;
  title: string;
  target?: string;
  encode: (set: ColumnSet) => Buffer;
  decode: (bytes: Buffer) => DecodedRows;
}

const text = (pieces: Iterable<string>): Buffer => Buffer.from([...pieces].join(''));
const columns = (time: TimeFormat) => (set: ColumnSet) =>
  text(['{"columns":', ...encodeJsonColumns(set, time), '}']);
const fromJson = (bytes: Buffer): DecodedRows => decodeJson(tradesTable, bytes, limits);

const forms: Form[] = [
  {
    name: 'columns-ms',
    title: 'columnar JSON, times in ms',
    target: '1 M rows/s',
    encode: columns('ms'),
    decode: fromJson,
  },
  {
    name: 'columns-ns',
    title: 'columnar JSON, times in ns',
    target: '1 M rows/s',
    encode: columns('ns'),
    decode: fromJson,
  },
  {
    name: 'arrow',
    title: 'Arrow stream',
    target: '2 M rows/s',
    encode: (set) => Buffer.from(encodeArrow(set, 'stream')),
    decode: (bytes) => decodeArrow(tradesTable, bytes, limits),
  },
  {
    name: 'rows',
    title: 'JSON rows',
    encode: (set) => text(encodeJsonRows(set, 'ms')),
    decode: fromJson,
  },
  {
    name: 'ndjson',
    title: 'NDJSON, ISO times',
    encode: (set) => text(encodeNdjson(set, 'iso')),
    decode: (bytes) => decodeNdjson(tradesTable, bytes, limits),
  },
  {
    name: 'csv',
    title: 'CSV, ISO times',
    encode: (set) => text(encodeCsv(set, 'iso')),
    decode: (bytes) => decodeCsv(tradesTable, bytes, limits),
  },
];

/** A scenario for each form in each direction. JSON is decoded beside JSON.parse, which makes no batch. */
export const codecScenarios: Scenario[] = forms.flatMap((form) => [
  {
    name: `decode-${form.name}`,
    title: `${form.title} to batches of ${batchRows.toLocaleString('en')} rows of 4 columns`,
    rows: 2_000_000,
    ...(form.target ? { target: form.target } : {}),
    runs: [decodeRun(form), ...(form.decode === fromJson ? [parseRun(form)] : [])],
  },
  {
    name: `encode-${form.name}`,
    title: `batches of ${batchRows.toLocaleString('en')} rows of 4 columns to ${form.title}`,
    rows: 2_000_000,
    runs: [encodeRun(form)],
  },
]);

/** Times and prices as a feed sends them, in milliseconds and cents: the random walk adds up rounding errors. */
function makeSet(): ColumnSet {
  const ticks = makeTicks(batchRows);
  ticks.prices.forEach((price, row) => {
    ticks.prices[row] = Math.round(price * 100) / 100;
    ticks.timesNs[row] -= ticks.timesNs[row] % 1_000_000n;
  });
  const batch = tickBatch(ticks, 0, batchRows);
  return { rowCount: batchRows, names: Object.keys(batch.columns), columns: Object.values(batch.columns) };
}

function decodeRun({ encode, decode }: Form): Run {
  return {
    name: 'candela',
    run: async ({ rows }) => {
      const set = makeSet();
      const bytes = encode(set);
      let decoded = decode(bytes);
      const figures = repeat(rows, () => {
        decoded = decode(bytes);
      });
      check(set, decoded);
      return [...figures, { label: 'size', value: bytes.length / batchRows, unit: 'B/row' }];
    },
  };
}

function parseRun({ encode }: Form): Run {
  return {
    name: 'JSON.parse alone',
    run: async ({ rows }) => {
      const bytes = encode(makeSet());
      return repeat(rows, () => {
        JSON.parse(bytes.toString());
      });
    },
  };
}

function encodeRun({ encode, decode }: Form): Run {
  return {
    name: 'candela',
    run: async ({ rows }) => {
      const set = makeSet();
      let bytes = encode(set);
      const figures = repeat(rows, () => {
        bytes = encode(set);
      });
      check(set, decode(bytes));
      return figures;
    },
  };
}

function repeat(rows: number, work: () => void): Figure[] {
  const rounds = Math.ceil(rows / batchRows);
  work();
  const elapsed = startStopwatch();
  for (let round = 0; round < rounds; round++) work();
  return threadRates(rounds * batchRows, elapsed());
}

/** Compares first and last rows, prices and times, with what was encoded; ms and ISO keep what these ticks have. */
function check(set: ColumnSet, { batch, rejected }: DecodedRows): void {
  const row = batchRows - 1;
  const [time, symbol, price] = set.columns;
  const { time: times, symbol: symbols, price: prices } = batch.columns;
  const isSame =
    rejected.length === 0 &&
    batch.rowCount === batchRows &&
    time.kind === 'timestamp' &&
    times.kind === 'timestamp' &&
    times.values[row] === time.values[row] &&
    symbol.kind === 'text' &&
    symbols.kind === 'text' &&
    symbols.dictionary[symbols.codes[row]] === symbol.dictionary[symbol.codes[row]] &&
    price.kind === 'double' &&
    prices.kind === 'double' &&
    prices.values[row] === price.values[row];
  if (!isSame) throw new Error('what was decoded is not what was encoded');
}
