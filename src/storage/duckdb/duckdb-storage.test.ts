import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { silentLogger } from '../../core/log.ts';
import { describeStorage } from '../storage.case.ts';
import { openDuckDbStorage } from './duckdb-storage.ts';

let root = '';
let opened = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'candela-storage-'));
});
afterAll(() => rm(root, { recursive: true }));

describeStorage('duckdb', () =>
  openDuckDbStorage({ directory: join(root, String(opened++)), log: silentLogger }),
);
