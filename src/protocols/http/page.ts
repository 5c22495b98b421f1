import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Scripts, styles and data from this server only. Charts set styles on elements, hence 'unsafe-inline' for styles. */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves the built page at `/`; without one, a line that says where the API is. */
export async function servePage(app: FastifyInstance, webRoot: string | null): Promise<void> {
  if (webRoot === null) {
    app.get('/', { schema: { hide: true } }, async (_request, reply) =>
      reply.type('text/plain').send('Candela: the API is described at /api/v1/openapi.json\n'),
    );
    return;
  }
  await app.register(fastifyStatic, {
    root: webRoot,
    cacheControl: false,
    setHeaders(reply, path) {
      // Built files carry a hash of their content in the name; the page itself must be asked for anew.
      const isHashed = /[-.][\w-]{8,}\.(?:js|css|svg|png|woff2)$/.test(path);
      reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      reply.header('content-security-policy', contentPolicy);
      reply.header('x-content-type-options', 'nosniff');
      reply.header('referrer-policy', 'no-referrer');
    },
  });
}
