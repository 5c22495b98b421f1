// Open a database in this process, write ticks, read bars of three timeframes.
import { columnOf, open, textColumn } from 'candela-db';

const database = await open({ directory: process.argv[2] ?? './data' });

await database.createTable({
  name: 'trades',
  kind: 'ticks',
  timeColumn: 'time',
  seriesKey: ['symbol'],
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
    { name: 'symbol', type: { kind: 'text' } },
    { name: 'price', type: { kind: 'double' }, nullable: false },
    { name: 'size', type: { kind: 'double' } },
  ],
});
await database.createCandles({ source: 'trades', price: 'price', volume: 'size', timeframes: ['1s', '1m', '1h'] });

// Rows move as columns. Times are nanoseconds since 1970.
const start = 1_700_000_000n * 1_000_000_000n;
await database.write('trades', {
  rowCount: 4,
  columns: {
    time: columnOf('timestamp', [start, start + 400_000_000n, start + 10_000_000_000n, start + 41_000_000_000n]),
    symbol: textColumn(['BTC/USD', 'BTC/USD', 'BTC/USD', 'BTC/USD']),
    price: columnOf('double', [37000.5, 37010, 36990, 37005]),
    size: columnOf('double', [0.5, 1, 0.25, 2]),
  },
});

// Bars are there as soon as the write is acknowledged, the last one still open. 30m is merged from 1m.
for (const timeframe of ['1m', '30m', '1h']) {
  const bars = await database.bars({ table: 'trades', timeframe, series: { symbol: 'BTC/USD' } });
  const high = bars.columns[bars.names.indexOf('high')];
  console.log(`${timeframe}: ${bars.rowCount} bars from ${bars.rollup}, highs ${high.values.join(' ')}`);
}

// SQL sees every acknowledged write, and the live bars.
const result = await database.sql('select symbol, sum(volume) as volume from trades_1m group by symbol');
console.log(`volume by SQL: ${result.columns[1].values[0]}`);

await database.close();
