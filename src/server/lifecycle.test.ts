import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { silentLogger } from '../core/log.ts';
import { endWithProcess } from './lifecycle.ts';

function started(close: () => Promise<void>) {
  const process = new EventEmitter();
  const codes: number[] = [];
  const logged: string[] = [];
  const log = { ...silentLogger, error: (_fields: object, message: string) => logged.push(message) };
  endWithProcess({
    process: process as NodeJS.Process,
    close,
    exit: (code) => codes.push(code),
    log,
    closeMsMax: 20,
  });
  const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
  return { process, codes, logged, settled };
}

it.each(['SIGTERM', 'SIGINT'])('%s closes, then exits 0', async (signal) => {
  let closed = 0;
  const { process, codes, settled } = started(async () => void closed++);
  process.emit(signal, signal);
  expect(codes).toEqual([]);
  await settled();
  expect([closed, codes]).toEqual([1, [0]]);
});

it('a second signal exits at once, whatever closing is doing', () => {
  const { process, codes } = started(() => new Promise(() => {}));
  process.emit('SIGTERM', 'SIGTERM');
  process.emit('SIGINT', 'SIGINT');
  expect(codes).toEqual([1]);
});

it('exits 1 and says so when closing fails', async () => {
  const { process, codes, logged, settled } = started(() => Promise.reject(new Error('disk gone')));
  process.emit('SIGTERM', 'SIGTERM');
  await settled();
  expect([codes, logged]).toEqual([[1], ['could not close cleanly']]);
});

it.each(['uncaughtException', 'unhandledRejection'])(
  '%s is logged, closed after and exits 1',
  async (event) => {
    let closed = 0;
    const { process, codes, logged, settled } = started(async () => void closed++);
    process.emit(event, new Error('defect'));
    await settled();
    expect(closed).toBe(1);
    expect(codes).toEqual([1]);
    expect(logged).toEqual(['uncaught error: stopping']);
  },
);

it('does not wait for ever to close after an uncaught error', async () => {
  const { process, codes } = started(() => new Promise(() => {}));
  process.emit('uncaughtException', new Error('defect'));
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(codes).toEqual([1]);
});
