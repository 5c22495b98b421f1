import { expect, it } from 'vitest';
import { describeStorage } from '../storage.case.ts';
import { openMemoryStorage } from './memory-storage.ts';

describeStorage('memory', async () => openMemoryStorage());

it('knows no SQL', async () => {
  const storage = openMemoryStorage();
  await expect(storage.snapshot()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  await expect(storage.tablesOf('select 1')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});
