/** Pages of other sites: none may read anything, but those that the server was told of may read some routes. */
import type { FastifyInstance } from 'fastify';

/** How long a browser may remember that it may ask. */
const rememberedSeconds = 600;

/** Lets pages of these origins read every route registered afterwards in this scope. */
export function letRead(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  app.addHook('onRequest', async ({ headers: { origin } }, reply) => {
    reply.header('vary', 'origin');
    if (origin !== undefined && origins.includes(origin)) reply.header('access-control-allow-origin', origin);
  });
  // What a browser asks before it sends a token, or before a page of the internet may reach this machine.
  app.options('/*', { schema: { hide: true } }, async (_request, reply) =>
    reply
      .headers({
        'access-control-allow-methods': 'GET',
        'access-control-allow-headers': 'authorization',
        'access-control-allow-private-network': 'true',
        'access-control-max-age': String(rememberedSeconds),
      })
      .code(204)
      .send(),
  );
}

/** Does a request come from a page of the server itself, of one of these origins, or of no page at all? */
export function isWelcome(
  { origin, host }: { origin?: string | undefined; host?: string | undefined },
  origins: readonly string[],
): boolean {
  if (origin === undefined || origins.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
