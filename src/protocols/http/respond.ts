/** Rows as an answer: json, columns, csv or arrow. */
import { Readable } from 'node:stream';
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

/** Text up to this length is sent at once; longer text is encoded while it is sent. */
const wholeLengthMax = 1024 * 1024;

/**
 * Sends rows. Beside the rows `json` and `columns` carry `cursor` and the `extra` fields; every form carries the
 * cursor in the header `x-candela-cursor`.
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
  if (format === 'arrow') {
    // Loaded when first asked for: it takes a tenth of a second that a start should not.
    const { encodeArrow } = await import('../../codecs/arrow/encode-arrow.ts');
    const { buffer, byteOffset, byteLength } = encodeArrow(set, 'stream');
    return reply.send(Buffer.from(buffer, byteOffset, byteLength));
  }
  const pieces = encode(set, format, answer.time ?? 'iso', extra);
  let text = '';
  for (let piece = pieces.next(); !piece.done; piece = pieces.next()) {
    text += piece.value;
    if (text.length > wholeLengthMax) return reply.send(Readable.from(continued(text, pieces)));
  }
  return reply.send(text);
}

function* continued(text: string, pieces: Iterable<string>): Generator<string> {
  yield text;
  yield* pieces;
}

function encode(
  set: ColumnSet & { cursor?: string | null },
  format: Exclude<RowFormat, 'arrow'>,
  time: TimeFormat,
  extra: Record<string, unknown>,
): Generator<string> {
  const cursor = set.cursor ?? null;
  switch (format) {
    case 'csv':
      return encodeCsv(set, time);
    case 'columns':
      return wrapped('columns', encodeJsonColumns(set, time), { rowCount: set.rowCount, cursor, ...extra });
    case 'json':
      return wrapped('rows', encodeJsonRows(set, time), { cursor, ...extra });
  }
}

function* wrapped(
  name: string,
  pieces: Iterable<string>,
  fields: Record<string, unknown>,
): Generator<string> {
  yield `{"${name}":`;
  yield* pieces;
  yield `,${JSON.stringify(fields).slice(1)}`;
}

function formatAccepted(request: FastifyRequest): RowFormat {
  const accept = request.headers.accept ?? '';
  if (accept.includes('text/csv')) return 'csv';
  if (accept.includes('application/vnd.apache.arrow')) return 'arrow';
  return 'json';
}
