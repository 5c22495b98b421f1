/** Answers leave gzipped when the client can unpack them and they are worth it. */
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Below this size packing costs more than it saves. */
const packedBytesMin = 1_024;

const packedTypes =
  /^(?:text\/|application\/(?:json|javascript|vnd\.apache\.arrow|manifest\+json)|image\/svg)/;

/** Adds the packing to every route registered afterwards. */
export function packAnswers(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply, payload) => {
    if (!isWorthPacking(request, reply, payload)) return payload;
    reply.header('vary', [reply.getHeader('vary'), 'accept-encoding'].filter(Boolean).join(', '));
    if (!acceptsGzip(request)) return payload;
    reply.header('content-encoding', 'gzip').removeHeader('content-length');
    // Level 1: market data is large and the link mostly local; higher levels cost more time than they save.
    const gzip = createGzip({ level: 1 });
    // An error reaches the answer through gzip, which pipeline destroys with it.
    if (payload instanceof Readable) pipeline(payload, gzip, () => undefined);
    else gzip.end(payload);
    return gzip;
  });
}

function isWorthPacking(request: FastifyRequest, reply: FastifyReply, payload: unknown): boolean {
  if (request.method === 'HEAD' || reply.statusCode === 206 || reply.statusCode === 304) return false;
  if (reply.hasHeader('content-encoding') || !packedTypes.test(String(reply.getHeader('content-type'))))
    return false;
  if (payload instanceof Readable)
    return Number(reply.getHeader('content-length') ?? Infinity) >= packedBytesMin;
  return (typeof payload === 'string' || payload instanceof Uint8Array) && payload.length >= packedBytesMin;
}

function acceptsGzip(request: FastifyRequest): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(String(request.headers['accept-encoding'] ?? ''));
}
