import { expect, it } from 'vitest';
import type { Clock } from '../core/clock.ts';
import { createSessions, sessionMsMax } from './sessions.ts';

function withClock() {
  const time = { ms: 0 };
  const clock = { monotonicMs: () => time.ms } as Clock;
  return { time, sessions: createSessions(clock) };
}

it('knows each by its token, as long as it is used', () => {
  const { time, sessions } = withClock();
  const desk = sessions.begin({ name: 'desk', role: 'write' });
  const guest = sessions.begin({ name: 'guest', role: 'read' });
  expect(desk).not.toBe(guest);
  expect(sessions.find('made up')).toBeUndefined();
  time.ms = sessionMsMax - 1;
  expect(sessions.find(desk)).toEqual({ name: 'desk', role: 'write' });
  time.ms = sessionMsMax;
  expect(sessions.find(guest)).toBeUndefined();
  expect(sessions.find(desk)).toEqual({ name: 'desk', role: 'write' });
  time.ms += sessionMsMax;
  expect(sessions.find(desk)).toBeUndefined();
});

it('pushes out whoever was away the longest', () => {
  const { sessions } = withClock();
  const first = sessions.begin({ name: 'first', role: 'read' });
  const second = sessions.begin({ name: 'second', role: 'read' });
  sessions.find(first);
  for (let i = 0; i < 9_999; i++) sessions.begin({ name: 'many', role: 'read' });
  expect(sessions.find(second)).toBeUndefined();
  expect(sessions.find(first)).toBeDefined();
});
