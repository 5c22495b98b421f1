import { expect, it } from 'vitest';
import { createPrng } from '../../core/prng.ts';
import { Gate } from './gate.ts';

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await Promise.resolve();
};

it('keeps writers and changes apart, and changes from one another', async () => {
  const prng = createPrng(7);
  const gate = new Gate();
  let writers = 0;
  let changes = 0;
  let both = 0;
  const write = async (): Promise<void> => {
    await gate.enter();
    writers++;
    expect(changes).toBe(0);
    await turns(prng.below(5));
    writers--;
    gate.leave();
  };
  const change = (): Promise<void> =>
    gate.exclusive(async () => {
      expect([writers, changes]).toEqual([0, 0]);
      changes++;
      await turns(prng.below(5));
      changes--;
      both++;
    });
  const tasks: Promise<void>[] = [];
  for (let i = 0; i < 2000; i++) {
    tasks.push(prng.below(10) === 0 ? change() : write());
    if (prng.below(4) === 0) await turns(prng.below(10));
  }
  await Promise.all(tasks);
  expect(both).toBeGreaterThan(100);
});

it('opens again after a change that failed', async () => {
  const gate = new Gate();
  await gate.enter();
  const failing = gate.exclusive(() => Promise.reject(new Error('no')));
  const waiting = gate.enter();
  gate.leave();
  await expect(failing).rejects.toThrow('no');
  await waiting;
  gate.leave();
  expect(await gate.exclusive(async () => 'done')).toBe('done');
});
