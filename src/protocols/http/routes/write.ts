/** Writes: rows in any of the forms the codecs read. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { decodeCsv } from '../../../codecs/decode/decode-csv.ts';
import { decodeJson, decodeNdjson } from '../../../codecs/decode/decode-json.ts';
import type { DecodedRows } from '../../../codecs/decode/decoded-rows.ts';
import { mergeRejections } from '../../../codecs/decode/decoded-rows.ts';
import type { RowRejection } from '../../../core/errors.ts';
import { CandelaError } from '../../../core/errors.ts';
import { tableToWrite } from '../../../engine/adjust/actions-table.ts';
import type { TableInfo, WriteOptions } from '../../../engine/database.ts';
import { bodyBudget } from '../bodies.ts';
import type { HttpContext } from '../context.ts';
import { requires } from '../context.ts';
import { answers, rowRejections, type Schema } from '../schemas.ts';
import { tableNamed } from '../series-parameters.ts';
import type { WireWriteResult } from '../wire.ts';

/** Media types a write may have, with what their bodies look like. Bodies stay bytes: the codecs check them. */
const writeBodies: Record<string, { schema: Schema }> = {
  'application/json': {
    schema: {
      description: 'Rows, or columns in which one value may stand for all rows.',
      examples: [
        [{ time: 1715938200123, symbol: 'AAPL', price: 189.5 }],
        { columns: { time: [1715938200123, 1715938200456], symbol: 'AAPL', price: [189.5, 189.51] } },
      ],
    },
  },
  'application/x-ndjson': {
    schema: { examples: ['{"time":1715938200123,"symbol":"AAPL","price":189.5}\n'] },
  },
  'text/csv': { schema: { examples: ['time,symbol,price\n2024-05-17T09:30:00.123Z,AAPL,189.5\n'] } },
  'application/vnd.apache.arrow.stream': { schema: { description: 'An Arrow IPC stream.' } },
  'application/vnd.apache.arrow.file': { schema: { description: 'An Arrow IPC file.' } },
};

interface WriteQuery {
  onInvalid?: 'fail' | 'skip';
  batchId?: string;
}

/** Most rejected rows an answer lists; the message has the count. */
const rejectionsListedMax = 100;

/** Registers the route. */
export function writeRoutes(app: FastifyInstance, context: HttpContext): void {
  const { bodyBytesMax, bodyBytesInFlightMax } = context.limits;
  app.post<{ Params: { table: string }; Querystring: WriteQuery; Body: Buffer }>(
    '/write/:table',
    {
      onRequest: [requires(context, 'write'), bodyBudget(bodyBytesMax, bodyBytesInFlightMax)],
      bodyLimit: bodyBytesMax,
      schema: {
        tags: ['rows'],
        summary: 'Write rows; answers when they are durable',
        description:
          'JSON (`[{…}]`, `{"rows":[…]}`, `{"columns":{…}}`), NDJSON, CSV with a header, or Arrow IPC.',
        body: { content: writeBodies },
        params: {
          type: 'object',
          properties: {
            table: { type: 'string', description: 'Name of the table.', examples: ['trades'] },
          },
        },
        querystring: {
          type: 'object',
          properties: {
            onInvalid: {
              type: 'string',
              enum: ['fail', 'skip'],
              description: 'Rows that do not fit: fail (default) writes nothing, skip writes the others.',
              examples: ['skip'],
            },
            batchId: {
              type: 'string',
              maxLength: 256,
              description:
                'Your name for the batch, or the header Idempotency-Key: ' +
                'a batch whose id is known is not written again.',
              examples: ['2024-05-17-000123'],
            },
          },
        },
        response: answers('The rows are as durable as the database makes them.', {
          lsn: { type: 'integer', description: 'Position in the log.' },
          rowCount: { type: 'integer', description: 'Rows written: new ones.' },
          duplicates: {
            type: 'integer',
            description: 'Rows dropped, being there already (tables with dedup).',
          },
          corrected: {
            type: 'integer',
            description: 'Rows that took the place of another (dedup, keep last).',
          },
          repeated: {
            type: 'boolean',
            description: 'The batch id was known: these are its first counts.',
          },
          rejected: rowRejections,
        }),
      },
    },
    async (request) => {
      const { onInvalid = 'fail', batchId = request.headers['idempotency-key'] } = request.query;
      return write(context, request, request.params.table, {
        onInvalid,
        ...(batchId === undefined ? {} : { batchId: String(batchId) }),
      });
    },
  );
}

async function write(
  { database, limits }: HttpContext,
  request: FastifyRequest,
  name: string,
  options: WriteOptions & { onInvalid: 'fail' | 'skip' },
): Promise<WireWriteResult> {
  const table = (await tableToWrite(database, name)) ?? tableNamed(database, name);
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const decoded = await decode(
    table,
    String(request.headers['content-type'] ?? ''),
    bytes,
    limits.writeRowsMax,
  );
  if (decoded.rejected.length > 0 && options.onInvalid === 'fail')
    throw refused(name, decoded, decoded.rejected);
  try {
    const result = await database.write(name, decoded.batch, options);
    const { lsn, rowCount, duplicates, corrected, repeated } = result;
    const rejected = mergeRejections(decoded, result.rejected);
    return { lsn, rowCount, duplicates, corrected, repeated, rejected };
  } catch (error) {
    // The engine counts rows of the batch; with rows left out before, those are not the rows that were sent.
    if (error instanceof CandelaError && error.rows)
      throw refused(name, decoded, mergeRejections(decoded, error.rows));
    throw error;
  }
}

function refused(table: string, decoded: DecodedRows, rejected: readonly RowRejection[]): CandelaError {
  const [first] = rejected;
  const where = `row ${first.row}${first.column === null ? '' : `, column '${first.column}'`}`;
  const count = `${rejected.length} of ${decoded.sentRowCount} rows`;
  return new CandelaError(
    'INVALID_ROWS',
    `${count} do not fit table '${table}'; the first: ${where}: ${first.reason}`,
    { rows: rejected.slice(0, rejectionsListedMax) },
  );
}

async function decode(
  table: TableInfo,
  contentType: string,
  bytes: Buffer,
  rowsMax: number,
): Promise<DecodedRows> {
  const type = contentType.split(';')[0].trim().toLowerCase();
  switch (type) {
    case 'application/json':
      return decodeJson(table, bytes, { rowsMax });
    case 'application/x-ndjson':
      return decodeNdjson(table, bytes, { rowsMax });
    case 'text/csv':
      return decodeCsv(table, bytes, { rowsMax });
    case 'application/vnd.apache.arrow.stream':
    case 'application/vnd.apache.arrow.file': {
      const { decodeArrow } = await import('../../../codecs/arrow/decode-arrow.ts');
      return decodeArrow(table, bytes, { rowsMax });
    }
    default:
      throw new CandelaError('INVALID_ARGUMENT', `rows cannot be read from content-type '${type}'`, {
        help: `Send one of ${Object.keys(writeBodies).join(', ')}.`,
      });
  }
}
