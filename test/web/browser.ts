/** Chromium for tests of the page. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { isMissing } from '../support/need.ts';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Is there no browser to test with? `.ci/run` installs one. */
export const noBrowser = isMissing(
  `a browser at ${executablePath} (or CHROMIUM)`,
  existsSync(executablePath),
);

/** A page and everything it complained of. */
export interface Tab {
  page: Page;
  /** Console errors, uncaught errors and requests that failed. */
  complaints: string[];
}

/** A running browser with a profile of its own. */
export interface Browser {
  open(url: string, options?: BrowserContextOptions): Promise<Tab>;
  close(): Promise<void>;
}

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts Chromium; `close` ends it and removes its profile. */
export async function startBrowser(): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'candela-chromium-'));
  const browser = await chromium.launch({
    executablePath,
    headless: true,
    args: flags,
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile },
  });
  const contexts: BrowserContext[] = [];
  return {
    async open(url, options = {}) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
      contexts.push(context);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.goto(url);
      return { page, complaints };
    },
    async close() {
      for (const context of contexts) await context.close();
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
