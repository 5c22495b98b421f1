import type { FeedContext, FeedPlugin } from '../feed.ts';
import { readOptions } from '../options.ts';
import { candleTimeframes } from '../tables.ts';
import { parseSymbols } from './symbols.ts';
import { TwelveDataFeed } from './twelvedata-feed.ts';

const defaultUrl = 'wss://ws.twelvedata.com/v1/quotes/price';

/**
 * Feed kind `twelvedata`: real-time prices over Twelve Data's WebSocket (docs/feeds.md has the options). Each feed is
 * one connection; several run side by side, up to the three that Twelve Data allows a key.
 */
export const twelveDataPlugin: FeedPlugin = {
  kind: 'twelvedata',
  create(name: string, options: Record<string, unknown>, context: FeedContext): TwelveDataFeed {
    const read = readOptions(options);
    const url = read.text('url', defaultUrl);
    const apiKey = read.optionalText('apiKey') ?? process.env.TWELVEDATA_API_KEY;
    if (!apiKey && url === defaultUrl) {
      throw read.bad('apiKey', 'your Twelve Data key (or set the environment variable TWELVEDATA_API_KEY)');
    }
    if (!URL.canParse(url) || !/^wss?:/.test(url)) throw read.bad('url', 'a ws:// or wss:// address');
    const symbols = parseSymbols(read.raw('symbols') ?? []);
    if (!symbols) throw read.bad('symbols', 'text such as "AAPL, BTC/USD", or a list of texts or objects');
    const reconnectMsMin = read.number('reconnectMsMin', 500, { min: 1, max: 60_000 });
    const feedOptions = {
      url: withKey(url, apiKey),
      symbols,
      table: read.text('table', 'stocks_real_time'),
      companyTable: read.text('companyTable', 'company'),
      timeframes: read.optionalTexts('timeframes') ?? candleTimeframes,
      batchRows: read.number('batchRows', 100, { min: 1, max: 65_536 }),
      batchMs: read.number('batchMs', 250, { min: 1, max: 60_000 }),
      heartbeatMs: read.number('heartbeatMs', 10_000, { min: 10, max: 60_000 }),
      reconnectMsMin,
      reconnectMsMax: read.number('reconnectMsMax', 30_000, { min: reconnectMsMin, max: 600_000 }),
      simulated: read.flag('simulated', false),
    };
    read.done();
    return new TwelveDataFeed(name, feedOptions, context);
  },
};

function withKey(url: string, apiKey: string | undefined): string {
  if (!apiKey) return url;
  const address = new URL(url);
  address.searchParams.set('apikey', apiKey);
  return address.href;
}
