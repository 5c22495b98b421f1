/** What every route needs. */
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Database } from '../../engine/database.ts';
import type { FeedControl } from '../../market/feed-status.ts';
import type { Authenticator, Identity, Role } from '../../net/auth.ts';
import { requireRole } from '../../net/auth.ts';
import type { HttpLimits } from './limits.ts';

/** See the head of this file. */
export interface HttpContext {
  database: Database;
  feeds: FeedControl;
  authenticator: Authenticator;
  log: Logger;
  clock: Clock;
  version: string;
  limits: HttpLimits;
  startedMs: number;
}

/** Who sends a request, by its `Authorization` header. Throws `UNAUTHENTICATED`. */
export async function identify(authenticator: Authenticator, header: string | undefined, source: string): Promise<Identity> {
  const [scheme = '', value = ''] = (header ?? '').split(/\s+/, 2);
  if (/^bearer$/i.test(scheme)) return authenticator.byToken(value, source);
  if (/^basic$/i.test(scheme)) {
    const text = Buffer.from(value, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    return authenticator.byPassword(text.slice(0, Math.max(colon, 0)), text.slice(colon + 1), source);
  }
  return authenticator.anonymous();
}

/** A hook that lets in who has the role. */
export function requires(context: HttpContext, role: Role): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const identity = await identify(context.authenticator, request.headers.authorization, request.ip);
    requireRole(identity, role);
  };
}
