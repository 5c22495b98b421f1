/** The page as it ships: served by the built server, fed by the simulator over its real WebSocket. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createToken, hashPassword, hashToken } from '../../src/net/auth.ts';
import { type Browser, noBrowser, startBrowser, type Tab } from './browser.ts';
import {
  countPixels,
  dragChart,
  overflowPixels,
  readChart,
  waitForCandles,
  waitForChart,
  waitForText,
} from './page-driver.ts';
import { type RealServer, startRealServer } from './real-server.ts';

describe.skipIf(noBrowser)('the served page', () => {
  let server: RealServer;
  let browser: Browser;

  beforeAll(async () => {
    [server, browser] = await Promise.all([startRealServer(20), startBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  async function withTab(hash: string, options: object, test: (tab: Tab) => Promise<void>): Promise<void> {
    const tab = await browser.open(server.url + hash, options);
    try {
      await test(tab);
    } finally {
      await tab.page.context().close();
    }
  }

  it('shows moving candles of a fresh server by itself, marked as simulated', async () => {
    await withTab('', {}, async (tab) => {
      const { series, timeframe, lastClose } = await waitForChart(tab, ({ barCount }) =>
        expect(barCount).toBeGreaterThan(3),
      );
      expect(series).not.toBe('');
      // A server that has just begun has one candle of a minute, and many of a second.
      expect(timeframe).toBe('1s');
      await waitForChart(tab, (facts) => expect(facts.lastClose).not.toBe(lastClose));
      expect((await countPixels(tab, '--up')) + (await countPixels(tab, '--down'))).toBeGreaterThan(50);
      await waitForText(tab, '#simulated', /^simulated$/i);
      await waitForText(tab, '#connection', /^Live$/);
      await waitForText(tab, '#feeds', /simulator\s*connected, [\d,]+ ticks\/s/);
      await waitForText(tab, '#ingest', /rows\s*[\d,.]+K?/);
      expect(tab.complaints).toEqual([]);
    });
  });

  it('switches symbol and timeframe', async () => {
    await withTab('#timeframe=1s', {}, async (tab) => {
      await waitForChart(tab, ({ barCount }) => expect(barCount).toBeGreaterThan(0));
      await tab.page.locator('.watch-row[data-series="BTC/USD"]').click();
      const bitcoin = await waitForCandles(tab, 'BTC/USD', '1s');
      await tab.page.locator('#timeframes button', { hasText: /^1m$/ }).click();
      const minute = await waitForCandles(tab, 'BTC/USD', '1m');
      expect(minute.lastClose / bitcoin.lastClose).toBeCloseTo(1, 1);
      expect(minute.lastTimeMs % 60_000).toBe(0);
      await tab.page.locator('.watch-row[data-series="EUR/USD"]').click();
      expect((await waitForCandles(tab, 'EUR/USD', '1m')).lastClose).toBeLessThan(3);
      await waitForText(tab, '.watch-row[data-series="EUR/USD"]', /1\.\d{2,}\s+[+−]?\d+\.\d\d%/);
      await waitForText(tab, '#watch-since', /day’s open/);
      expect(tab.complaints).toEqual([]);
    });
  });

  it('heals after the server was killed, with the bars from before', async () => {
    await withTab('#symbol=AAPL&timeframe=1s', {}, async (tab) => {
      const before = await waitForChart(tab, ({ barCount }) => expect(barCount).toBeGreaterThan(5));
      await server.kill();
      await waitForText(tab, '#connection', /next try in/);
      expect((await readChart(tab)).barCount).toBeGreaterThanOrEqual(before.barCount);
      await server.restart();
      await waitForText(tab, '#connection', /^Live$/);
      const after = await waitForChart(tab, (facts) => {
        expect(facts.lastTimeMs).toBeGreaterThan(before.lastTimeMs + 2000);
      });
      expect(after.firstTimeMs).toBe(before.firstTimeMs);
      expect(tab.complaints.filter((text) => !/ERR_CONNECTION|WebSocket/.test(text))).toEqual([]);
    });
  });

  it('shows the last price of a symbol for which no tick comes any more', async () => {
    await post(server.url, 'tables', {
      name: 'quiet',
      kind: 'ticks',
      timeColumn: 'time',
      seriesKey: ['symbol'],
      columns: [
        { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
        { name: 'symbol', type: { kind: 'text' } },
        { name: 'price', type: { kind: 'double' } },
      ],
    });
    await post(server.url, 'candles', { source: 'quiet', price: 'price', timeframes: ['1m', '1d'] });
    await post(server.url, 'write/quiet', [
      { time: '2024-05-17T09:30:00Z', symbol: 'OLD', price: 200 },
      { time: '2024-05-17T09:31:00Z', symbol: 'OLD', price: 210 },
    ]);
    await withTab('', {}, async (tab) => {
      await waitForText(tab, '#connection', /^Live$/);
      await tab.page.locator('select').first().selectOption('quiet');
      await waitForText(tab, '.watch-row[data-series="OLD"]', /210\.00\s+\+5\.00%/);
      expect(tab.complaints).toEqual([]);
    });
  });

  it('loads history as one scrolls left, and takes the correction of a late tick', async () => {
    const symbol = 'HISTORY';
    const lastMs = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
    const minutes = Array.from({ length: 1800 }, (_, i) => ({
      timeMs: lastMs - (1799 - i) * 60_000,
      price: 100 + Math.round(1000 * Math.sin(i / 50)) / 100,
    }));
    await writeTicks(server.url, symbol, minutes);
    await withTab(`#symbol=${symbol}&timeframe=1m`, {}, async (tab) => {
      await waitForChart(tab, ({ barCount }) => expect(barCount).toBe(500));
      for (let drags = 0; drags < 16; drags++) await dragChart(tab, 1000);
      const facts = await waitForChart(tab, ({ barCount }) => expect(barCount).toBeGreaterThanOrEqual(1800));
      // Should the page ever have another bar, this tells whether the server has it, too.
      expect(await minutesOf(server.url, symbol)).toEqual(minutes.map(({ timeMs }) => timeMs));
      expect(facts.barCount).toBe(1800);
      expect(facts).toMatchObject({ firstTimeMs: minutes[0].timeMs, lastTimeMs: lastMs });
      await writeTicks(server.url, symbol, [{ timeMs: lastMs + 30_000, price: 123.45 }]);
      await waitForChart(tab, ({ lastClose }) => expect(lastClose).toBe(123.45));
      expect((await readChart(tab)).barCount).toBe(1800);
      expect(tab.complaints).toEqual([]);
    });
  });

  it.each([
    ['dark', 390, 844],
    ['light', 390, 844],
    ['dark', 1440, 900],
    ['light', 1440, 900],
  ] as const)('is drawn in %s at %i pixels without overflowing', async (colorScheme, width, height) => {
    await withTab('#symbol=AAPL&timeframe=1s', { colorScheme, viewport: { width, height } }, async (tab) => {
      await waitForChart(tab, ({ barCount }) => expect(barCount).toBeGreaterThan(3));
      await waitForText(tab, '#ingest', /rows/);
      expect(await overflowPixels(tab)).toBeLessThanOrEqual(0);
      expect(await tab.page.locator('html').getAttribute('data-theme')).toBe(colorScheme);
      expect((await countPixels(tab, '--up')) + (await countPixels(tab, '--down'))).toBeGreaterThan(50);
      expect(tab.complaints).toEqual([]);
    });
  });
});

it.skipIf(noBrowser)(
  'asks who it is where users are configured: by token, or by user and password',
  async () => {
    const token = createToken();
    const passwordHash = await hashPassword('open sesame');
    const desk = `name: desk, role: read, tokens: ['${hashToken(token)}'], passwordHash: '${passwordHash}'`;
    const users = `users: [{ ${desk} }]`;
    const [server, browser] = await Promise.all([startRealServer(20, users), startBrowser()]);
    try {
      const tab = await browser.open(server.url);
      const signIn = async (text: string): Promise<void> => {
        await tab.page.getByLabel('Access token').fill(text);
        await tab.page.keyboard.press('Enter');
      };
      await waitForText(tab, '#notice', /asks for a user/);
      await signIn('a guess');
      await waitForText(tab, '#notice', /wrong (user name|token)/);
      await signIn(token);
      await waitForChart(tab, ({ barCount }) => expect(barCount).toBeGreaterThan(3));
      await waitForText(tab, '#connection', /^Live$/);
      await tab.page.reload();
      await waitForChart(tab, ({ barCount }) => expect(barCount).toBeGreaterThan(3));

      const other = await browser.open(server.url);
      const withPassword = async (password: string): Promise<void> => {
        await other.page.getByLabel('User name').fill('desk');
        await other.page.getByLabel('Password').fill(password);
        await other.page.getByRole('button', { name: 'Sign in' }).click();
      };
      await waitForText(other, '#notice', /asks for a user/);
      await withPassword('close');
      await waitForText(other, '#notice', /wrong user name/);
      await withPassword('open sesame');
      await waitForChart(other, ({ barCount }) => expect(barCount).toBeGreaterThan(3));
      await waitForText(other, '#connection', /^Live$/);
      const kept = await other.page.evaluate<string>(
        'JSON.stringify({ ...sessionStorage, ...localStorage })',
      );
      expect(kept).not.toContain('sesame');
      expect(tab.complaints.filter((text) => !/401|Authentication/.test(text))).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
  },
);

/** Writes ticks of a symbol over REST. */
async function writeTicks(
  url: string,
  symbol: string,
  ticks: readonly { timeMs: number; price: number }[],
): Promise<void> {
  const rows = ticks.map(({ timeMs, price }) => ({ time: new Date(timeMs).toISOString(), symbol, price }));
  const response = await fetch(new URL('api/v1/write/stocks_real_time', url), {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: rows.map((row) => JSON.stringify(row)).join('\n'),
  });
  expect(await response.json()).toMatchObject({ rowCount: rows.length });
}

/** Starts of a symbol's minutes, by one read of all. */
async function minutesOf(url: string, symbol: string): Promise<number[]> {
  const query = `table=stocks_real_time&timeframe=1m&symbol=${symbol}&limit=5000&time=ms&format=columns`;
  const answer = await fetch(new URL(`api/v1/bars?${query}`, url));
  return ((await answer.json()) as { columns: { time: number[] } }).columns.time;
}

async function post(url: string, route: string, body: unknown): Promise<void> {
  const response = await fetch(new URL(`api/v1/${route}`, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.ok, await response.text()).toBe(true);
}
