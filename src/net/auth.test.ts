import { scryptSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Clock } from '../core/clock.ts';
import {
  type Authenticator,
  assertSafeBind,
  createAuthenticator,
  createToken,
  hashPassword,
  hashToken,
  isLoopback,
  requireRole,
  type UserConfig,
} from './auth.ts';

let users: UserConfig[];
let nowMs = 0;
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
const token = createToken();

beforeAll(() => {
  // A cheap hash: what is tested here does not depend on the cost.
  const salt = Buffer.alloc(16, 1);
  const hash = scryptSync('right', salt, 32, { N: 256, r: 8, p: 1 });
  users = [
    {
      name: 'ann',
      role: 'admin',
      passwordHash: `scrypt$256$8$1$${salt.toString('base64')}$${hash.toString('base64')}`,
    },
    { name: 'bob', role: 'read', tokens: [hashToken(createToken()), hashToken(token)] },
  ];
});

const fail = async (authenticator: Authenticator, times: number, name: string, address: string) => {
  for (let i = 0; i < times; i++) {
    await expect(authenticator.byPassword(name, `wrong ${i}`, address)).rejects.toThrow(
      expect.objectContaining({ code: 'UNAUTHENTICATED' }),
    );
  }
};
const limited = expect.objectContaining({ code: 'LIMIT_EXCEEDED' });

describe('credentials', () => {
  it('let in who has them, and nobody else', async () => {
    const authenticator = createAuthenticator(users, clock);
    expect(authenticator.required).toBe(true);
    await expect(authenticator.byPassword('ann', 'right')).resolves.toEqual({ name: 'ann', role: 'admin' });
    await expect(authenticator.byToken(token)).resolves.toEqual({ name: 'bob', role: 'read' });
    const wrong = expect.objectContaining({ code: 'UNAUTHENTICATED' });
    await expect(authenticator.byPassword('ann', 'Right')).rejects.toThrow(wrong);
    await expect(authenticator.byPassword('bob', '')).rejects.toThrow(wrong);
    await expect(authenticator.byPassword('eve', 'right')).rejects.toThrow(wrong);
    await expect(authenticator.byToken('')).rejects.toThrow(wrong);
    expect(() => authenticator.anonymous()).toThrow(wrong);
  });

  it('are not asked for while there are no users', () => {
    const authenticator = createAuthenticator([]);
    expect(authenticator.required).toBe(false);
    expect(authenticator.anonymous()).toEqual({ name: 'anonymous', role: 'admin' });
  });

  it('cost an unknown user as much time as a known one', async () => {
    const costly = { name: 'ann', role: 'read' as const, passwordHash: await hashPassword('right') };
    const authenticator = createAuthenticator([costly], clock);
    await expect(authenticator.byPassword('ann', 'right')).resolves.toMatchObject({ name: 'ann' });
    const took = async (name: string) => {
      const startMs = performance.now();
      for (let i = 0; i < 4; i++) await authenticator.byPassword(name, `x${i}`, name).catch(() => undefined);
      return performance.now() - startMs;
    };
    await took('warm-up');
    const ratio = (await took('eve')) / (await took('ann'));
    expect(ratio).toBeGreaterThan(0.3);
    expect(ratio).toBeLessThan(3);
  });

  it('never stand in a hash', async () => {
    expect(await hashPassword('right')).toMatch(/^scrypt\$16384\$8\$1\$[\w+/]+=*\$[\w+/]+=*$/);
    expect(await hashPassword('right')).not.toBe(await hashPassword('right'));
    expect(hashToken(token)).not.toContain(token);
    expect(createToken()).not.toBe(createToken());
  });

  it('that are no hashes are refused, naming the user', () => {
    const check = (user: Partial<UserConfig>) =>
      expect(() => createAuthenticator([{ name: 'eve', role: 'read', ...user }])).toThrow("'eve'");
    check({ passwordHash: 'secret' });
    check({ passwordHash: 'scrypt$0$8$1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA' });
    check({ tokens: ['secret'] });
    check({ tokens: ['sha256$AAAA'] });
  });
});

describe('guessing', () => {
  it('makes a user name wait at the address that guessed, and there only', async () => {
    nowMs = 0;
    const authenticator = createAuthenticator(users, clock);
    await fail(authenticator, 10, 'ann', '10.0.0.1');
    await expect(authenticator.byPassword('ann', 'right', '10.0.0.1')).rejects.toThrow(limited);
    await expect(authenticator.byPassword('ann', 'right', '10.0.0.2')).resolves.toMatchObject({
      name: 'ann',
    });
    await fail(authenticator, 1, 'bob', '10.0.0.1');
    nowMs = 30_000;
    await expect(authenticator.byPassword('ann', 'right', '10.0.0.1')).resolves.toMatchObject({
      name: 'ann',
    });
  });

  it('does not disturb who was let in before, nor who has a token', async () => {
    nowMs = 0;
    const authenticator = createAuthenticator(users, clock);
    await authenticator.byPassword('ann', 'right', '10.0.0.1');
    await fail(authenticator, 10, 'ann', '10.0.0.1');
    await expect(authenticator.byPassword('ann', 'right', '10.0.0.1')).resolves.toMatchObject({
      name: 'ann',
    });
    for (let i = 0; i < 100; i++) await authenticator.byToken('x', '10.0.0.1').catch(() => undefined);
    await expect(authenticator.byToken('x', '10.0.0.1')).rejects.toThrow(limited);
    await expect(authenticator.byToken(token, '10.0.0.1')).resolves.toMatchObject({ name: 'bob' });
  });

  it('under many names makes the address wait', async () => {
    nowMs = 0;
    const authenticator = createAuthenticator(users, clock);
    for (let i = 0; i < 100; i++) await authenticator.byToken(`t${i}`, '10.0.0.9').catch(() => undefined);
    await expect(authenticator.byPassword('ann', 'right', '10.0.0.9')).rejects.toThrow(limited);
  });

  it('forgets failures that are long past', async () => {
    nowMs = 0;
    const authenticator = createAuthenticator(users, clock);
    await fail(authenticator, 9, 'ann', 'a');
    nowMs = 30_000;
    await fail(authenticator, 9, 'ann', 'a');
    await expect(authenticator.byPassword('ann', 'right', 'a')).resolves.toMatchObject({ name: 'ann' });
  });

  it('in a flood is turned away before it costs anything', async () => {
    nowMs = 0;
    const authenticator = createAuthenticator(users, clock);
    const attempts = Array.from({ length: 80 }, (_, i) => authenticator.byPassword('ann', `x${i}`, `a${i}`));
    const codes = (await Promise.allSettled(attempts)).map(
      (one) => one.status === 'rejected' && one.reason.code,
    );
    expect(codes.filter((code) => code === 'LIMIT_EXCEEDED').length).toBe(80 - 66);
    expect(codes.filter((code) => code === 'UNAUTHENTICATED').length).toBe(66);
  });
});

it('gives each role what the ones before it have', () => {
  const may = (role: 'read' | 'write' | 'admin') =>
    (['read', 'write', 'admin'] as const).filter((wanted) => {
      try {
        requireRole({ name: 'x', role }, wanted);
        return true;
      } catch {
        return false;
      }
    });
  expect(may('read')).toEqual(['read']);
  expect(may('write')).toEqual(['read', 'write']);
  expect(may('admin')).toEqual(['read', 'write', 'admin']);
});

it('refuses to listen beyond the machine while everybody is let in', () => {
  const everybody = createAuthenticator([]);
  for (const host of ['0.0.0.0', '::', '192.168.0.1', 'example.com', '']) {
    expect(() => assertSafeBind(host, everybody), host).toThrow('no users are configured');
    expect(() => assertSafeBind(host, createAuthenticator(users))).not.toThrow();
  }
  for (const host of ['127.0.0.1', '127.8.8.8', '::1', 'localhost', '::ffff:127.0.0.1']) {
    expect(isLoopback(host), host).toBe(true);
    expect(() => assertSafeBind(host, everybody)).not.toThrow();
  }
});
