/** The page by itself, against a fake server that can correct, cut and disappear on demand. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Browser, noBrowser, startBrowser, type Tab } from './browser.ts';
import { type FakeServer, startFakeServer } from './fake-server.ts';
import {
  countPixels,
  dragChart,
  overflowPixels,
  readChart,
  waitForCandles,
  waitForChart,
  waitForText,
} from './page-driver.ts';

const webRoot = fileURLToPath(new URL('../../dist/web', import.meta.url));
const pageBytesMax = 90_000;

it('weighs no more than 90 kB as it travels', async () => {
  const names = await readdir(webRoot, { recursive: true, withFileTypes: true });
  let bytes = 0;
  for (const entry of names.filter((each) => each.isFile())) {
    bytes += gzipSync(await readFile(`${entry.parentPath}/${entry.name}`)).length;
  }
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThanOrEqual(pageBytesMax);
});

describe.skipIf(noBrowser)('in Chromium', () => {
  let browser: Browser;
  let server: FakeServer;
  let tab: Tab;
  /** Complaints a test brings about on purpose, such as a refused connection. */
  let expectedComplaints: RegExp | null;

  beforeAll(async () => {
    browser = await startBrowser();
  });
  beforeEach(async () => {
    expectedComplaints = null;
    server = await startFakeServer({ webRoot });
  });
  afterEach(async () => {
    const unexpected = tab.complaints.filter((text) => !expectedComplaints?.test(text));
    await tab.page.context().close();
    await server.close();
    expect(unexpected).toEqual([]);
  });
  afterAll(() => browser?.close());

  /** Opens the page at `hash` and waits for candles. */
  async function openAt(hash: string, series: string, timeframe: string, options = {}): Promise<void> {
    tab = await browser.open(server.url + hash, options);
    await waitForCandles(tab, series, timeframe);
  }

  it('draws the first symbol in one-minute candles, and the last one moves', async () => {
    await openAt('', 'AAPL', '1m');
    const facts = await readChart(tab);
    const expected = server.barsOf('AAPL', '1m', 500);
    expect(facts.barCount).toBeGreaterThanOrEqual(500);
    expect(facts.firstTimeMs).toBe(expected[facts.barCount === 500 ? 0 : 1].timeMs);
    await waitForChart(tab, ({ lastClose }) => expect(lastClose).not.toBe(facts.lastClose));
    expect(await countPixels(tab, '--up')).toBeGreaterThan(500);
    expect(await countPixels(tab, '--down')).toBeGreaterThan(500);
    expect(await countPixels(tab, '--up-volume')).toBeGreaterThan(500);
  });

  it('adds candles as time goes on', async () => {
    await openAt('#timeframe=1s', 'AAPL', '1s');
    const { barCount, lastTimeMs } = await readChart(tab);
    await waitForChart(tab, (facts) => {
      expect(facts.barCount).toBeGreaterThanOrEqual(barCount + 2);
      expect(facts.lastTimeMs).toBeGreaterThanOrEqual(lastTimeMs + 2000);
    });
  });

  it('reopens what a link says, and keeps the address in step', async () => {
    await openAt('#table=crypto_replay&symbol=XRP%2FETH&timeframe=1h', 'XRP/ETH', '1h');
    await tab.page.locator('#timeframes button', { hasText: '1s' }).click();
    await waitForCandles(tab, 'XRP/ETH', '1s');
    expect(new URL(tab.page.url()).hash).toBe('#table=crypto_replay&symbol=XRP%2FETH&timeframe=1s');
    await tab.page.goBack();
    await waitForCandles(tab, 'XRP/ETH', '1h');
  });

  it('switches symbol, timeframe and table, and never shows bars of the one before', async () => {
    await openAt('', 'AAPL', '1m');
    for (const symbol of ['AMD', 'MSFT', 'BTC/USD', 'ETH/BTC']) {
      await tab.page.locator('.watch-row', { hasText: symbol }).click();
    }
    const { lastClose } = await waitForCandles(tab, 'ETH/BTC', '1m');
    expect(lastClose).toBeLessThan(1);
    await waitForChart(tab, (facts) => expect(facts.lastClose).not.toBe(lastClose));
    expect((await readChart(tab)).lastClose).toBeLessThan(1);
    await tab.page.locator('#table').selectOption('crypto_replay');
    await waitForCandles(tab, 'SHIB/USDT', '1m');
    await waitForText(tab, '#legend', /C\s*0\.0000\d{4}\b/);
    expect(await tab.page.locator('#table option').allInnerTexts()).toEqual([
      'stocks_real_time',
      'crypto_replay',
    ]);
    expect(await countPixels(tab, '--up-volume')).toBe(0);
  });

  it('loads history as one scrolls left, once each page, until it ends', async () => {
    await openAt('#timeframe=1d', 'AAPL', '1d');
    expect((await readChart(tab)).barCount).toBe(500);
    for (let drags = 0; drags < 8; drags++) await dragChart(tab, 900);
    const facts = await waitForChart(tab, ({ barCount }) => expect(barCount).toBe(701));
    expect(facts.firstTimeMs).toBe(server.barsOf('AAPL', '1d', 1000)[0].timeMs);
    for (let drags = 0; drags < 4; drags++) await dragChart(tab, 900);
    // One page of 201 bars, and an empty one that says it is the end.
    expect(server.historyRequests()).toBe(2);
    await tab.page.locator('#newest').click();
    await expect.poll(() => tab.page.locator('#newest').isVisible()).toBe(false);
  });

  it('keeps the view where it is while older bars arrive', async () => {
    await openAt('#timeframe=1h', 'AAPL', '1h');
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await tab.page.route('**/api/v1/bars?*', async (route) => {
      await released;
      await route.continue();
    });
    await dragChart(tab, 900);
    await dragChart(tab, 700);
    const barUnderPointer = async (): Promise<string> => {
      await tab.page.mouse.move(600, 400);
      await tab.page.mouse.move(601, 400);
      return tab.page.locator('.legend-time').innerText();
    };
    const before = await barUnderPointer();
    expect(before).toMatch(/\d{4}, \d\d:00$/);
    expect((await readChart(tab)).barCount).toBe(500);
    release();
    await waitForChart(tab, ({ barCount }) => expect(barCount).toBeGreaterThanOrEqual(1000));
    expect(await barUnderPointer()).toBe(before);
  });

  it('takes a correction of an older bar where it stands', async () => {
    await openAt('', 'AAPL', '1m');
    const bar = server.barsOf('AAPL', '1m', 10)[0];
    const { barCount } = await readChart(tab);
    server.correct('AAPL', '1m', { ...bar, high: 500, close: 444.44 });
    const legend = await legendAt(bar.timeMs);
    expect(legend).toMatch(/C\s*444\.44/);
    expect((await readChart(tab)).barCount).toBeLessThanOrEqual(barCount + 1);
  });

  /** What the legend says of the bar that starts at that time: the pointer looks for it from the right. */
  async function legendAt(timeMs: number): Promise<string> {
    const box = await tab.page.locator('#chart').boundingBox();
    if (!box) throw new Error('no chart');
    const time = new Date(timeMs).toTimeString().slice(0, 5);
    for (let x = box.x + box.width - 80; x > box.x + box.width - 300; x -= 3) {
      await tab.page.mouse.move(x, box.y + 300);
      const legend = await tab.page.locator('#legend').innerText();
      if (legend.includes(`, ${time}`)) return legend;
    }
    throw new Error(`no bar at ${time} under the pointer`);
  }

  it('heals a cut connection without losing the chart', async () => {
    await openAt('', 'AAPL', '1m');
    const { barCount } = await readChart(tab);
    server.cutSockets();
    await waitForText(tab, '#connection', /next try in|Connecting/);
    expect((await readChart(tab)).barCount).toBeGreaterThanOrEqual(barCount);
    await waitForText(tab, '#connection', /^Live$/);
    const { lastClose } = await readChart(tab);
    await waitForChart(tab, (facts) => expect(facts.lastClose).not.toBe(lastClose));
  });

  it('heals after the server was gone, and fills the hole', async () => {
    expectedComplaints = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|WebSocket/;
    await openAt('#timeframe=1s', 'AAPL', '1s');
    await server.close();
    await waitForText(tab, '#connection', /next try in/);
    await tab.page.waitForTimeout(3000);
    server = await startFakeServer({ webRoot, port: server.port });
    await waitForText(tab, '#connection', /^Live$/);
    const { lastClose } = await readChart(tab);
    const facts = await waitForChart(tab, (each) => expect(each.lastClose).not.toBe(lastClose));
    expect((facts.lastTimeMs - facts.firstTimeMs) / 1000 + 1).toBe(facts.barCount);
  });

  it('shows prices, names and changes in the watch list, and says since when', async () => {
    await openAt('', 'AAPL', '1m');
    await waitForText(
      tab,
      '.watch-row[data-series="EUR/USD"]',
      /Euro US Dollar\s+1\.\d{5}\s+[+−]?\d+\.\d\d%/,
    );
    await waitForText(tab, '#watch-since', /day’s open/);
    await tab.page.locator('#watch-filter').fill('meta');
    expect(await tab.page.locator('.watch-symbol').allInnerTexts()).toEqual(['META']);
    await tab.page.locator('#table').selectOption('crypto_replay');
    await waitForText(tab, '#watch-since', /first known bar/);
    await waitForText(tab, '.watch-row[data-series="SHIB/USDT"]', /0\.0000\d{4}/);
  });

  it('works from the keyboard', async () => {
    await openAt('', 'AAPL', '1m');
    await tab.page.keyboard.press('/');
    await tab.page.keyboard.type('nvid');
    await tab.page.keyboard.press('Enter');
    await waitForCandles(tab, 'NVDA', '1m');
    expect(await tab.page.locator('#search').inputValue()).toBe('NVDA');
    await tab.page.locator('.watch-row[aria-selected="true"]').focus();
    await tab.page.keyboard.press('ArrowDown');
    await tab.page.keyboard.press('Enter');
    await waitForCandles(tab, 'ORCL', '1m');
    expect(await tab.page.locator(':focus').getAttribute('data-series')).toBe('ORCL');
  });

  it('shows feeds, ingest, version, and that the data is made up', async () => {
    await openAt('', 'AAPL', '1m');
    await waitForText(tab, '#feeds', /twelvedata\s*connected, 4\d\d ticks\/s\s*refused: NOPE/);
    await waitForText(tab, '#ingest', /rows.*pending.*flush/s);
    await waitForText(tab, '#version', /^Candela 0\.1\.0$/);
    await waitForText(tab, '#simulated', /^simulated$/i);
    await tab.page.locator('.feeds').click();
    await waitForText(tab, '#feeds-panel', /NOPE refused\s+symbol not found/);
  });

  it('writes times in local time or in UTC, and remembers which', async () => {
    await openAt('#timeframe=1h', 'AAPL', '1h', { timezoneId: 'Asia/Tokyo' });
    const hourAt = async () => {
      await tab.page.mouse.move(600, 400);
      await tab.page.mouse.move(602, 400);
      return Number((await tab.page.locator('.legend-time').innerText()).match(/(\d\d):00$/)?.[1]);
    };
    const local = await hourAt();
    await tab.page.locator('#zone').click();
    expect((local - (await hourAt()) + 24) % 24).toBe(9);
    await tab.page.reload();
    await waitForCandles(tab, 'AAPL', '1h');
    await waitForText(tab, '#zone', /^UTC$/);
  });

  it('follows the system’s theme, lets one choose the other, and remembers it', async () => {
    await openAt('', 'AAPL', '1m', { colorScheme: 'dark' });
    const background = () => tab.page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const theme = () => tab.page.locator('html').getAttribute('data-theme');
    const dark = await background();
    expect(await theme()).toBe('dark');
    await tab.page.locator('#theme').click();
    expect(await theme()).toBe('light');
    expect(await background()).not.toBe(dark);
    expect(await countPixels(tab, '--up')).toBeGreaterThan(500);
    await tab.page.reload();
    expect(await theme()).toBe('light');
    await tab.page.emulateMedia({ colorScheme: 'light' });
    await tab.page.locator('#theme').click();
    expect(await theme()).toBe('dark');
  });

  it.each([
    ['a small phone', 360, 740],
    ['a phone', 390, 844],
    ['a tablet', 820, 1180],
    ['a phone lying down', 844, 390],
  ])('fits %s', async (_name, width, height) => {
    await openAt('', 'AAPL', '1m', { viewport: { width, height }, hasTouch: true, isMobile: true });
    await waitForText(tab, '#ingest', /rows/);
    expect(await overflowPixels(tab)).toBeLessThanOrEqual(0);
    const chart = await tab.page.locator('#chart').boundingBox();
    expect(chart?.width).toBeGreaterThan(width * 0.6);
    expect(chart?.height).toBeGreaterThan(200);
  });

  it('explains what is missing', async () => {
    await openAt('', 'AAPL', '1m');
    await tab.page.goto(`${server.url}#symbol=NOSUCH`);
    await waitForText(tab, '#notice', /stocks_real_time has no NOSUCH so far/);
    const empty = await startFakeServer({ webRoot, tables: [] });
    try {
      await tab.page.goto(empty.url);
      await waitForText(tab, '#notice', /No candles yet.*candela replay FILE/s);
    } finally {
      await empty.close();
    }
    expectedComplaints = /ERR_CONNECTION_REFUSED|WebSocket/;
    await waitForText(tab, '#notice', /server does not answer.*npm start/s);
  });

  it('shows a symbol as soon as it exists', async () => {
    await openAt('', 'AAPL', '1m');
    const tables = [{ name: 'trades', timeframes: ['1s', '1m'], hasVolume: true, symbols: [] as never[] }];
    const young = await startFakeServer({ webRoot, tables });
    try {
      await tab.page.goto(young.url);
      await waitForText(tab, '#notice', /No symbols in trades yet/);
      Object.assign(tables[0], { symbols: [{ symbol: 'NEW', name: null, base: 5, decimals: 2 }] });
      await waitForCandles(tab, 'NEW', '1m');
    } finally {
      await young.close();
    }
    expectedComplaints = /ERR_CONNECTION|WebSocket/;
  });
});
