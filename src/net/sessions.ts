/** Tokens for those who came in by password, so that a page need not keep the password. */
import type { Clock } from '../core/clock.ts';
import type { Identity } from './auth.ts';
import { createToken, digestOf } from './password-hash.ts';

/** Kept in memory only: a restart ends all of them. */
export interface Sessions {
  /** A new token for the identity. */
  begin(identity: Identity): string;
  /** Whose token it is; undefined if it is nobody's, or has not been used for too long. */
  find(token: string): Identity | undefined;
}

/** A token that nobody uses for so long is worth nothing any more. */
export const sessionMsMax = 12 * 3_600_000;
/** More push the oldest out. */
const sessionsMax = 10_000;

/** No sessions yet. */
export function createSessions(clock: Clock): Sessions {
  // By digest, so that neither time nor memory tells of the tokens; in order of last use.
  const sessions = new Map<string, { identity: Identity; usedMs: number }>();
  const put = (digest: string, identity: Identity): void => {
    sessions.delete(digest);
    sessions.set(digest, { identity, usedMs: clock.monotonicMs() });
  };
  return {
    begin(identity) {
      const token = createToken();
      put(digestOf(token).toString('hex'), identity);
      for (const [digest, { usedMs }] of sessions) {
        if (sessions.size <= sessionsMax && clock.monotonicMs() - usedMs < sessionMsMax) break;
        sessions.delete(digest);
      }
      return token;
    },
    find(token) {
      const digest = digestOf(token).toString('hex');
      const session = sessions.get(digest);
      if (!session) return undefined;
      if (clock.monotonicMs() - session.usedMs >= sessionMsMax) {
        sessions.delete(digest);
        return undefined;
      }
      put(digest, session.identity);
      return session.identity;
    },
  };
}
