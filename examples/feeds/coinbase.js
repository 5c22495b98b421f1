/**
 * A feed of your own, complete: trades from Coinbase's public WebSocket, which needs no key. In candela.yml:
 *
 *   feeds:
 *     - name: coinbase
 *       module: ./examples/feeds/coinbase.js
 *       options: { products: [BTC-USD, ETH-USD] }
 *
 * A module's default export is { kind, create }. `create` gets the options and what Candela offers, and returns the
 * feed: start, stop, status, and, where symbols can change while it runs, subscribe and unsubscribe.
 */
import WebSocket from 'ws';

export default {
  kind: 'coinbase',

  create(name, options, { database, log, clock, createBatcher }) {
    const { url = 'wss://ws-feed.exchange.coinbase.com', products, table = 'coinbase_trades' } = options;
    if (!Array.isArray(products)) throw new Error(`feed '${name}': option products must be a list of products`);
    const symbols = new Set(products);
    const status = { state: 'connecting', reconnects: 0, lastEventMs: null, lastError: null };
    let batcher;
    let socket;
    let retry;

    function connect() {
      socket = new WebSocket(url);
      socket.on('open', () => {
        status.state = 'connected';
        status.lastError = null;
        send('subscribe', [...symbols]);
      });
      socket.on('message', (data) => {
        try {
          onMessage(JSON.parse(data));
        } catch (error) {
          batcher.reject(`unreadable message: ${error.message}`);
        }
      });
      socket.on('error', (error) => {
        status.lastError = error.message;
      });
      socket.on('close', () => {
        if (status.state === 'stopped') return;
        status.state = 'reconnecting';
        status.reconnects += 1;
        log.warn({ name }, `connection lost (${status.lastError ?? 'closed'}), next attempt in a second`);
        retry = setTimeout(connect, 1000);
      });
    }

    function onMessage(message) {
      status.lastEventMs = clock.nowMs();
      if (message.type === 'error') status.lastError = `${message.message}: ${message.reason}`;
      if (message.type !== 'match') return;
      // The values in the order of the columns below. Times may be ISO text, prices numeric text: what the column's
      // type makes of them is what is written, and a row that does not fit is counted and logged.
      const row = [message.time, message.product_id, message.price, message.size, message.trade_id];
      if (batcher.push(row)) return;
      // The engine does not keep up: stop reading, so that rows wait in the network and not in our memory.
      socket.pause();
      batcher.ready().then(() => socket.resume());
    }

    function send(type, ids) {
      if (socket?.readyState !== WebSocket.OPEN) return;
      socket.send(JSON.stringify({ type, product_ids: ids, channels: ['matches'] }));
    }

    return {
      async start() {
        if (!database.table(table)) {
          await database.createTable({
            name: table,
            kind: 'ticks',
            timeColumn: 'time',
            seriesKey: ['symbol'],
            columns: [
              { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true }, nullable: false },
              { name: 'symbol', type: { kind: 'text' }, nullable: false },
              { name: 'price', type: { kind: 'double' } },
              { name: 'size', type: { kind: 'double' } },
              { name: 'trade_id', type: { kind: 'int64' } },
            ],
          });
          const timeframes = ['1s', '1m', '5m', '1h', '1d'];
          await database.createCandles({ source: table, price: 'price', volume: 'size', timeframes });
        }
        batcher = createBatcher({ table, columns: ['time', 'symbol', 'price', 'size', 'trade_id'] });
        connect();
      },

      async stop() {
        status.state = 'stopped';
        clearTimeout(retry);
        socket?.close();
        await batcher?.close();
      },

      async subscribe(added) {
        for (const symbol of added) symbols.add(symbol);
        send('subscribe', added);
      },

      async unsubscribe(removed) {
        for (const symbol of removed) symbols.delete(symbol);
        send('unsubscribe', removed);
      },

      status() {
        const counts = batcher?.counts() ?? { rowsReceived: 0, rowsWritten: 0, rowsRejected: 0, lastError: null };
        const lastError = status.lastError ?? counts.lastError;
        const symbolList = [...symbols];
        return {
          ...{ name, kind: 'coinbase', simulated: false, table, symbols: symbolList, failedSymbols: [] },
          ...counts,
          ...status,
          lastError,
        };
      },
    };
  },
};
