import type { ReplayFormat } from '../format.ts';
import { aShareSnapshots, marketCodeSnapshots, sseSnapshots } from './a-share-snapshots.ts';
import { binanceMessages } from './binance-messages.ts';
import { cffexTicks } from './cffex.ts';
import { coinbaseMessages } from './coinbase-messages.ts';
import { databentoTrades } from './databento.ts';
import { freqtradeTrades } from './freqtrade.ts';
import { fxcmTicks } from './fxcm.ts';
import { geminiQuotes, geminiTrades } from './gemini.ts';
import { krakenTrades } from './kraken.ts';
import { aShareTrades, sseTrades, szseTrades } from './level2-trades.ts';
import { mtgoxTrades } from './mtgox.ts';
import { taqQuotes, taqTrades } from './taq.ts';
import { tdxTicks } from './tdx.ts';
import { tradesCsv } from './trades-csv.ts';
import { twelveDataEvents } from './twelvedata-events.ts';

/** Every format, in the order in which a file is tried: the general one last. */
export const replayFormats: readonly ReplayFormat[] = [
  krakenTrades,
  freqtradeTrades,
  binanceMessages,
  coinbaseMessages,
  twelveDataEvents,
  geminiTrades,
  geminiQuotes,
  mtgoxTrades,
  taqTrades,
  taqQuotes,
  sseTrades,
  szseTrades,
  aShareTrades,
  sseSnapshots,
  aShareSnapshots,
  marketCodeSnapshots,
  tdxTicks,
  cffexTicks,
  databentoTrades,
  fxcmTicks,
  tradesCsv,
];
