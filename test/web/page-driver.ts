/** What the tests of the page do with it and read from it, in a user's terms. */
import { expect } from 'vitest';
import type { Tab } from './browser.ts';

/** What the chart says of itself on its element. */
export interface ChartFacts {
  series: string;
  timeframe: string;
  barCount: number;
  firstTimeMs: number;
  lastTimeMs: number;
  lastClose: number;
}

/** Waits as long for anything the page should show. */
const patience = { timeout: 20_000, interval: 100 };

/** Reads the chart's attributes. */
export async function readChart({ page }: Tab): Promise<ChartFacts> {
  const facts = await page.evaluate<Record<string, string>>(
    `({ ...document.querySelector('#chart').dataset })`,
  );
  return {
    series: facts.series ?? '',
    timeframe: facts.timeframe ?? '',
    barCount: Number(facts.barCount ?? 0),
    firstTimeMs: Number(facts.firstTime || Number.NaN),
    lastTimeMs: Number(facts.lastTime || Number.NaN),
    lastClose: Number(facts.lastClose || Number.NaN),
  };
}

/** Waits until the chart's facts satisfy `check`, and returns them. */
export async function waitForChart(tab: Tab, check: (facts: ChartFacts) => void): Promise<ChartFacts> {
  let facts = await readChart(tab);
  await expect
    .poll(async () => {
      facts = await readChart(tab);
      try {
        check(facts);
        return null;
      } catch (error) {
        return `${error instanceof Error ? error.message : error}, with ${JSON.stringify(facts)}`;
      }
    }, patience)
    .toBeNull();
  return facts;
}

/** Waits for candles of a symbol in a timeframe. */
export function waitForCandles(tab: Tab, series: string, timeframe: string): Promise<ChartFacts> {
  return waitForChart(tab, (facts) => {
    expect(facts).toMatchObject({ series, timeframe });
    expect(facts.barCount).toBeGreaterThan(0);
  });
}

/** Waits until an element's text satisfies the pattern. */
export async function waitForText({ page }: Tab, selector: string, pattern: RegExp): Promise<void> {
  await expect.poll(() => page.locator(selector).innerText(), patience).toMatch(pattern);
}

/**
 * Runs in the page, hence as text. The library draws on a canvas per pane, axis and layer; all are read through a copy,
 * because reading a canvas that is being drawn on slows it down for good.
 */
const countPixelsInPage = `(property) => {
  const host = document.querySelector('#chart');
  const probe = host.appendChild(document.createElement('span'));
  probe.style.color = 'var(' + property + ')';
  const [red, green, blue] = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
  probe.remove();
  let count = 0;
  for (const canvas of host.querySelectorAll('canvas')) {
    if (canvas.width === 0 || canvas.height === 0) continue;
    const copy = Object.assign(document.createElement('canvas'), { width: canvas.width, height: canvas.height });
    const context = copy.getContext('2d', { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, copy.width, copy.height);
    for (let i = 0; i < data.length; i += 4) {
      if (data[i] === red && data[i + 1] === green && data[i + 2] === blue && data[i + 3] === 255) count++;
    }
  }
  return count;
}`;

/** How many pixels of the chart have exactly this colour of the style sheet, such as `--up`. */
export function countPixels({ page }: Tab, property: string): Promise<number> {
  return page.evaluate<number>(`(${countPixelsInPage})(${JSON.stringify(property)})`);
}

/** Drags the chart to the right by `pixels`, so that older bars come into view. */
export async function dragChart({ page }: Tab, pixels: number): Promise<void> {
  const box = await page.locator('#chart').boundingBox();
  if (!box) throw new Error('the chart is not on the page');
  const [x, y] = [box.x + 40, box.y + box.height * 0.4];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + pixels, y, { steps: 20 });
  await page.mouse.up();
}

/** How far the page is wider than the window. */
export function overflowPixels({ page }: Tab): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
}
