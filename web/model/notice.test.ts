import { expect, it } from 'vitest';
import { noticeFor, type PageFacts } from './notice.ts';

const drawn: PageFacts = {
  error: null,
  candleTables: ['trades'],
  table: 'trades',
  isListed: true,
  symbol: 'AAPL',
  isKnownSymbol: true,
  timeframe: '1m',
  barCount: 500,
};
const unreachable = { code: 'UNREACHABLE', message: 'No answer.', help: 'Start it.' };

it('stays out of the way of candles, also when the server is gone', () => {
  expect(noticeFor(drawn)).toBeNull();
  expect(noticeFor({ ...drawn, error: unreachable })).toBeNull();
});

it('says nothing while answers are on their way', () => {
  expect(noticeFor({ ...drawn, barCount: null })).toBeNull();
  expect(noticeFor({ ...drawn, candleTables: null, symbol: null, barCount: null })).toBeNull();
  expect(noticeFor({ ...drawn, isListed: false, symbol: null, barCount: null })).toBeNull();
});

it.each([
  ['server gone', { error: unreachable, candleTables: null }, 'No answer.', ['npm start']],
  ['no candles', { candleTables: [], table: null }, 'No candles yet', ['npm start', 'candela replay FILE']],
  ['no symbols', { symbol: null }, 'No symbols in trades yet', []],
  ['unknown symbol', { symbol: 'XYZ', isKnownSymbol: false }, 'trades has no XYZ so far', []],
  ['no bars', { barCount: 0 }, 'No 1m bars of AAPL yet', []],
])('explains: %s', (_name, facts, title, commands) => {
  const notice = noticeFor({ ...drawn, barCount: null, ...facts });
  expect(notice?.title).toBe(title);
  expect(notice?.text).not.toBe('');
  expect(notice?.commands).toEqual(commands);
});

it('asks for a token where the server asks for a user', () => {
  const error = { code: 'UNAUTHENTICATED', message: 'this server asks for a user', help: 'Send a token.' };
  const facts = { ...drawn, error, candleTables: null, barCount: null };
  expect(noticeFor(facts)).toMatchObject({ title: 'Sign in', asksToken: true });
  expect(noticeFor({ ...facts, error: unreachable })?.asksToken).toBe(false);
});
