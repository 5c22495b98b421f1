/** What every route needs. */
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../core/clock.ts';
import { CandelaError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Database } from '../../engine/database.ts';
import type { FeedControl } from '../../market/feed-status.ts';
import type { Authenticator, Identity, Role } from '../../net/auth.ts';
import { isLoopback, requireRole } from '../../net/auth.ts';
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
  /** Origins of other sites whose pages may read `/udf` and connect to `/ws`. */
  allowedOrigins: readonly string[];
  /** Folder for backups, or null. */
  backupsDirectory: string | null;
}

/** Who sends a request, by its `Authorization` header. Throws `UNAUTHENTICATED`. */
export async function identify(
  authenticator: Authenticator,
  header: string | undefined,
  source: string,
): Promise<Identity> {
  const [scheme = '', value = ''] = (header ?? '').split(/\s+/, 2);
  if (/^bearer$/i.test(scheme)) return authenticator.byToken(value, source);
  if (/^basic$/i.test(scheme)) {
    const text = Buffer.from(value, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    return authenticator.byPassword(text.slice(0, Math.max(colon, 0)), text.slice(colon + 1), source);
  }
  return authenticator.anonymous();
}

/**
 * While everybody is let in, only requests that name this machine are: a page whose own name was made to point at
 * loopback (DNS rebinding) must not read the server of its visitor. Throws `DENIED`.
 */
export function checkHost(authenticator: Authenticator, host: string | undefined): void {
  if (authenticator.required || host === undefined) return;
  const url = `http://${host}`;
  const name = URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
  if (isLoopback(name)) return;
  throw new CandelaError('DENIED', `requests to '${host}' are not answered while no users are configured`, {
    help: 'Connect to 127.0.0.1 or localhost, or configure users.',
  });
}

/** A hook that lets in who has the role. */
export function requires(context: HttpContext, role: Role): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    checkHost(context.authenticator, request.headers.host);
    const identity = await identify(context.authenticator, request.headers.authorization, request.ip);
    requireRole(identity, role);
  };
}
