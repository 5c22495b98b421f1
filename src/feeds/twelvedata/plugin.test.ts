import { afterEach, describe, expect, it, vi } from 'vitest';
import { feedSurroundings } from '../../../test/support/feed-surroundings.ts';
import { recordingDatabase } from '../../../test/support/recording-database.ts';
import { formatSymbolAction, parseServerEvent } from './messages.ts';
import { twelveDataPlugin } from './plugin.ts';
import { parseSymbols } from './symbols.ts';

afterEach(() => void vi.unstubAllEnvs());

describe('options', () => {
  const create = (options: Record<string, unknown>) => {
    const { context } = feedSurroundings(recordingDatabase().database);
    return () => twelveDataPlugin.create('stocks', options, context);
  };

  it.each([
    ['no key', {}, /option apiKey must be your Twelve Data key .*TWELVEDATA_API_KEY/],
    ['a web address', { apiKey: 'k', url: 'https://x' }, /option url must be a ws:\/\/ or wss:\/\/ address/],
    ['symbols that are numbers', { apiKey: 'k', symbols: [1] }, /option symbols must be text such as/],
    ['no rows a batch', { apiKey: 'k', batchRows: 0 }, /option batchRows must be a number from 1 to 65536/],
    ['a misspelt name', { apiKey: 'k', heartbeat: 5 }, /^no option is called heartbeat/],
    ['a text for a flag', { apiKey: 'k', simulated: 'yes' }, /option simulated must be true or false/],
  ])('refuse %s', (_, options, message) => {
    vi.stubEnv('TWELVEDATA_API_KEY', '');
    expect(create(options)).toThrow(message);
  });

  it('take the key from the environment', () => {
    vi.stubEnv('TWELVEDATA_API_KEY', 'from-env');
    expect(create({ symbols: 'aapl, btc/usd' })().status().symbols).toEqual(['AAPL', 'BTC/USD']);
  });
});

describe('symbols', () => {
  it('come as text, lists and objects, in upper case, each once', () => {
    expect(parseSymbols('aapl, BTC/usd,aapl,')).toEqual([{ symbol: 'AAPL' }, { symbol: 'BTC/USD' }]);
    expect(parseSymbols(['aapl,msft', { symbol: 'trp', exchange: 'TSX' }])).toEqual([
      { symbol: 'AAPL' },
      { symbol: 'MSFT' },
      { symbol: 'TRP', exchange: 'TSX' },
    ]);
  });

  it('are refused in any other form', () => {
    expect(parseSymbols({ exchange: 'TSX' })).toBeUndefined();
    expect(parseSymbols([{ symbol: 'A', exchange: 1 }])).toBeUndefined();
    expect(parseSymbols(Array.from({ length: 10_001 }, (_, index) => `S${index}`))).toBeUndefined();
  });
});

describe('messages', () => {
  it('subscribe by comma string, or by objects where a venue is given', () => {
    expect(formatSymbolAction('subscribe', [{ symbol: 'AAPL' }, { symbol: 'BTC/USD' }])).toBe(
      '{"action":"subscribe","params":{"symbols":"AAPL,BTC/USD"}}',
    );
    expect(formatSymbolAction('unsubscribe', [{ symbol: 'AAPL', exchange: 'NASDAQ' }])).toBe(
      '{"action":"unsubscribe","params":{"symbols":[{"symbol":"AAPL","exchange":"NASDAQ"}]}}',
    );
  });

  // The tutorial's own output (seed 000).
  it('read the price and status events of the tutorial', () => {
    const price =
      '{"event":"price","symbol":"BTC/USD","currency_base":"Bitcoin","currency_quote":"US Dollar",' +
      '"exchange":"Coinbase Pro","type":"Digital Currency","timestamp":1652438893,"price":30361.2,' +
      '"bid":30361.2,"ask":30361.2,"day_volume":49153}';
    expect(parseServerEvent(price)).toEqual({
      event: 'price',
      price: {
        timeNs: 1_652_438_893_000_000_000n,
        symbol: 'BTC/USD',
        price: 30361.2,
        dayVolume: 49153,
        exchange: 'Coinbase Pro',
        name: 'Bitcoin / US Dollar',
      },
    });
    const status =
      '{"event":"subscribe-status","status":"ok","success":[{"symbol":"BTC/USD","exchange":"Coinbase Pro",' +
      '"mic_code":"Coinbase Pro","country":"","type":"Digital Currency"}],"fails":null}';
    expect(parseServerEvent(status)).toEqual({
      event: 'status',
      status: {
        action: 'subscribe',
        status: 'ok',
        success: [{ symbol: 'BTC/USD', exchange: 'Coinbase Pro', name: null }],
        fails: [],
        messages: [],
      },
    });
  });
});
