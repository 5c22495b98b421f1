import { expect, it } from 'vitest';
import { createGate } from './gate.ts';

it('runs so many at a time, in order, and refuses what would wait too long', async () => {
  const gate = createGate(2, 3, 'jobs');
  const order: number[] = [];
  const ends: (() => void)[] = [];
  const job = (n: number) =>
    gate(async () => {
      order.push(n);
      await new Promise<void>((resolve) => ends.push(resolve));
      return n;
    });
  const results = [1, 2, 3, 4, 5].map(job);
  await expect(job(6)).rejects.toThrow('more than 3 jobs are waiting');
  expect(order).toEqual([1, 2]);
  for (let n = 1; n <= 5; n++) {
    ends[n - 1]();
    expect(await results[n - 1]).toBe(n);
    await Promise.resolve();
    expect(order.length).toBe(Math.min(5, n + 2));
  }
  expect(order).toEqual([1, 2, 3, 4, 5]);
});

it('goes on after a job that fails', async () => {
  const gate = createGate(1, 1, 'jobs');
  const failing = gate(async () => {
    throw new Error('no');
  });
  const next = gate(async () => 'yes');
  await expect(failing).rejects.toThrow('no');
  await expect(next).resolves.toBe('yes');
  await expect(gate(async () => 'again')).resolves.toBe('again');
});
