/** Request bodies: unpacked on the way in, and bounded, each and together. */
import type { Readable } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { locate } from '../../codecs/decode/parse-json.ts';
import { CandelaError } from '../../core/errors.ts';

const chunkBytes = 256 * 1024;

/** Every route takes gzipped bodies. The route's own limit holds before and after unpacking. */
export function unpackBodies(app: FastifyInstance): void {
  app.addHook('preParsing', async (request, reply, payload) => {
    const encoding = String(request.headers['content-encoding'] ?? 'identity').toLowerCase();
    if (encoding === 'identity') return payload;
    if (encoding !== 'gzip') {
      throw new CandelaError('UNSUPPORTED', `content-encoding '${encoding}'`, {
        help: 'Send gzip, or no encoding.',
      });
    }
    const body = unpacked(payload as Readable);
    // Whoever was answered before the end, as for a body too large, is not unpacked any further.
    reply.raw.once('finish', () => {
      payload.unpipe(body);
      body.destroy();
      // What still comes has to be taken off the connection, or the request would never come to its end.
      payload.resume();
    });
    return body;
  });
}

/** The framework compares `receivedEncodedLength`, bytes before unpacking, with the content-length header. */
function unpacked(payload: Readable): Gunzip & { receivedEncodedLength: number } {
  const gunzip = Object.assign(createGunzip({ chunkSize: chunkBytes }), { receivedEncodedLength: 0 });
  payload.on('data', (chunk: Buffer) => {
    gunzip.receivedEncodedLength += chunk.length;
  });
  payload.once('error', (error) => gunzip.destroy(error));
  payload.once('close', () => {
    if (!payload.readableEnded) gunzip.destroy(new Error('the request was cut off'));
  });
  return payload.pipe(gunzip);
}

/** JSON bodies that cannot be read say where. */
export function readJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body: string, done) => {
    parse(request, body, (error, value) => done(error && (locate(body) ?? refusedName(error)), value));
  });
}

/** What is JSON and refused all the same holds a name that could change what every object is. */
function refusedName(cause: Error): CandelaError {
  const text = "the body uses the name '__proto__' or 'constructor'";
  return new CandelaError('INVALID_ARGUMENT', text, { cause, help: 'Leave it out.' });
}

/** In this scope bodies of any type stay bytes: the codecs read them. */
export function keepBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    '*',
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, body: Buffer) => body,
  );
}

/**
 * A hook that counts the bodies being read together, each as what its header promises or, packed or without a
 * promise, as the largest it may become; over the bound a request is turned away before its body is read.
 */
export function bodyBudget(bytesMax: number, bytesInFlightMax: number) {
  let bytesInFlight = 0;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const promised = Number(request.headers['content-length'] ?? Number.NaN);
    const isPlain = request.headers['content-encoding'] === undefined && Number.isFinite(promised);
    const bytes = isPlain ? Math.min(promised, bytesMax) : bytesMax;
    if (bytesInFlight > 0 && bytesInFlight + bytes > bytesInFlightMax) {
      throw new CandelaError('LIMIT_EXCEEDED', `${bytesInFlight} bytes of writes are being read already`, {
        help: 'Try again in a moment, or send less at a time.',
      });
    }
    bytesInFlight += bytes;
    let isOver = false;
    const release = (): void => {
      if (!isOver) bytesInFlight -= bytes;
      isOver = true;
    };
    // Whichever is first: a body may be answered before it has come to its end.
    request.raw.once('close', release);
    reply.raw.once('close', release);
  };
}
