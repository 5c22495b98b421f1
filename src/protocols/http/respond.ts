/** Rows as an answer: json, columns, csv or arrow, packed when the client can unpack. */
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { encodeCsv } from '../../codecs/encode/encode-csv.ts';
import { encodeJsonColumns, encodeJsonRows } from '../../codecs/encode/encode-json.ts';
import type { TimeFormat } from '../../codecs/encode/time-text.ts';
import type { ColumnSet } from '../../market/columns.ts';

/** Forms an answer can take. */
export type RowFormat = 'json' | 'columns' | 'csv' | 'arrow';

/** How the client wants rows. */
export interface RowsAnswer {
  format?: RowFormat;
  time?: TimeFormat;
}

const mediaTypes: Record<RowFormat, string> = {
  json: 'application/json; charset=utf-8',
  columns: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  arrow: 'application/vnd.apache.arrow.stream',
};

/** Answers below this size are not worth packing. */
const gzipBytesMin = 1_024;

/**
 * Sends rows. Beside the rows `json` and `columns` carry `cursor` and the `extra` fields; the other forms carry
 * the cursor in
 * the header `x-candela-cursor`.
 */
export async function sendRows(
  request: FastifyRequest,
  reply: FastifyReply,
  set: ColumnSet & { cursor?: string | null },
  answer: RowsAnswer,
  extra: Record<string, unknown> = {},
): Promise<FastifyReply> {
  const format = answer.format ?? formatAccepted(request);
  reply.type(mediaTypes[format]);
  if (set.cursor) reply.header('x-candela-cursor', set.cursor);
  return sendPacked(request, reply, await body(set, format, answer.time ?? 'iso', extra));
}

/** Sends text pieces or bytes, gzipped when that is accepted and worth it. */
function sendPacked(
  request: FastifyRequest,
  reply: FastifyReply,
  content: Iterable<string> | Uint8Array,
): FastifyReply {
  if (content instanceof Uint8Array) {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    return acceptsGzip(request) && bytes.length >= gzipBytesMin
      ? gzipped(reply, Readable.from([bytes]))
      : reply.send(bytes);
  }
  const pieces = [...content];
  const isSmall = pieces.length === 1 && pieces[0].length < gzipBytesMin;
  if (isSmall || !acceptsGzip(request))
    return reply.send(pieces.length === 1 ? pieces[0] : Buffer.from(pieces.join('')));
  return gzipped(reply, Readable.from(pieces));
}

function gzipped(reply: FastifyReply, stream: Readable): FastifyReply {
  reply.header('content-encoding', 'gzip').header('vary', 'accept-encoding');
  // Level 1: market data is large and the link mostly local; higher levels cost more time than they save.
  return reply.send(stream.pipe(createGzip({ level: 1 })));
}

function acceptsGzip(request: FastifyRequest): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(String(request.headers['accept-encoding'] ?? ''));
}

function formatAccepted(request: FastifyRequest): RowFormat {
  const accept = request.headers.accept ?? '';
  if (accept.includes('text/csv')) return 'csv';
  if (accept.includes('application/vnd.apache.arrow')) return 'arrow';
  return 'json';
}

async function body(
  set: ColumnSet & { cursor?: string | null },
  format: RowFormat,
  time: TimeFormat,
  extra: Record<string, unknown>,
): Promise<Iterable<string> | Uint8Array> {
  switch (format) {
    case 'arrow': {
      // Loaded when first asked for: it takes a tenth of a second that a start should not.
      const { encodeArrow } = await import('../../codecs/arrow/encode-arrow.ts');
      return encodeArrow(set, 'stream');
    }
    case 'csv':
      return encodeCsv(set, time);
    case 'columns':
      return wrapped('columns', encodeJsonColumns(set, time), {
        rowCount: set.rowCount,
        cursor: set.cursor ?? null,
        ...extra,
      });
    default:
      return wrapped('rows', encodeJsonRows(set, time), { cursor: set.cursor ?? null, ...extra });
  }
}

function* wrapped(
  name: string,
  pieces: Iterable<string>,
  fields: Record<string, unknown>,
): Generator<string> {
  let text = `{"${name}":`;
  for (const piece of pieces) {
    text += piece;
    if (text.length > 65_536) {
      yield text;
      text = '';
    }
  }
  yield `${text},${JSON.stringify(fields).slice(1)}`;
}
