// Follow bars as they build: first what is there, then every change, with no hole and no repeat.
import { columnOf, open, textColumn } from 'candela-db';

const database = await open({ directory: null }); // in memory
await database.createTable({
  name: 'trades',
  kind: 'ticks',
  timeColumn: 'time',
  seriesKey: ['symbol'],
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
    { name: 'symbol', type: { kind: 'text' } },
    { name: 'price', type: { kind: 'double' }, nullable: false },
  ],
});
await database.createCandles({ source: 'trades', price: 'price', timeframes: ['1m'] });

const tick = (second, price) =>
  database.write('trades', {
    rowCount: 1,
    columns: {
      time: columnOf('timestamp', [BigInt(second) * 1_000_000_000n]),
      symbol: textColumn(['AAPL']),
      price: columnOf('double', [price]),
    },
  });

await tick(1_700_000_000, 189.5);
const bars = await database.subscribe({ table: 'trades', timeframe: '1m', series: { symbol: 'A*' }, snapshot: 100 });
await tick(1_700_000_050, 190.25); // another minute: the first bar closes
await tick(1_700_000_010, 191); // late: it changes the bar that has closed

// A correction is read again from memory and store: it may come before or after the live bar of the next minute.
const awaited = new Set(['snapshot', 'closed', 'live', 'correction']);
for await (const event of bars) {
  if (event.type === 'lagged') continue; // too slow: event.dropped rows were left out; read them again
  const close = event.rows.columns[event.rows.names.indexOf('close')];
  console.log(`${event.type}: close ${close.values.join(' ')}`);
  awaited.delete(event.type);
  if (awaited.size === 0) break;
}
await database.close();
