import { defineConfig } from 'vitest/config';

/** Integration tests: whole servers, real clients, a browser, Python, the shared market data. One file at a time. */
export default defineConfig({
  test: {
    include: ['test/**/*.itest.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    teardownTimeout: 60_000,
    reporters: ['default'],
  },
});
