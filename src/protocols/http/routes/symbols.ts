/** The series of a table, by part of their names. */
import type { FastifyInstance } from 'fastify';
import type { Database } from '../../../engine/database.ts';
import { columnNamed, valueAt } from '../../../market/columns.ts';
import { type HttpContext, requires } from '../context.ts';
import { answers } from '../schemas.ts';
import type { WireSymbols } from '../wire.ts';

interface SymbolsQuery {
  table: string;
  q?: string;
  limit?: number;
}

/** Registers the route. */
export function symbolRoutes(app: FastifyInstance, context: HttpContext): void {
  const { database, limits } = context;
  app.get<{ Querystring: SymbolsQuery }>(
    '/symbols',
    {
      onRequest: requires(context, 'read'),
      schema: {
        tags: ['tables'],
        summary: 'Series of a table',
        querystring: {
          type: 'object',
          required: ['table'],
          additionalProperties: false,
          properties: {
            table: { type: 'string', description: 'Table or rollup.', examples: ['stocks_real_time'] },
            q: { type: 'string', description: 'Part of the symbol or name, in any case.', examples: ['btc'] },
            limit: {
              type: 'integer',
              minimum: 1,
              description: 'Symbols at the most, in order of first appearance; all by default.',
              examples: [100],
            },
          },
        },
        response: answers('Symbols, each with its series key and name.', {
          symbols: {
            type: 'array',
            items: {
              type: 'object',
              properties: {
                symbol: { type: 'string' },
                key: { type: 'object', additionalProperties: { type: 'string' }, description: 'By column.' },
                name: { type: ['string', 'null'], description: 'From the table company.' },
              },
            },
          },
        }),
      },
    },
    async ({ query }) =>
      findSymbols(database, query.table, query.q, Math.min(query.limit ?? limits.rowsMax, limits.rowsMax)),
  );
}

/**
 * The first `limit` series of a table whose symbol or company name contains `text`, in any case. Names come from the
 * plain table `company`, if there is one with the columns `symbol` and `name`.
 */
export async function findSymbols(
  database: Database,
  table: string,
  text = '',
  limit = Number.POSITIVE_INFINITY,
): Promise<WireSymbols> {
  const names = await companyNames(database);
  const wanted = text.toLowerCase();
  const symbols: WireSymbols['symbols'] = [];
  for (const { key } of database.series(table)) {
    if (symbols.length >= limit) break;
    const texts = Object.fromEntries(Object.entries(key).map(([name, value]) => [name, String(value)]));
    const symbol = Object.values(texts)[0] ?? '';
    const name = names.get(symbol) ?? null;
    if (`${symbol}\n${name ?? ''}`.toLowerCase().includes(wanted)) symbols.push({ symbol, key: texts, name });
  }
  return { symbols };
}

async function companyNames(database: Database): Promise<Map<string, string>> {
  const table = database.table('company');
  const isFit =
    table?.kind === 'plain' &&
    ['symbol', 'name'].every((wanted) => table.columns.some(({ name }) => name === wanted));
  if (!isFit) return new Map();
  const rows = await database.read({ table: 'company', columns: ['symbol', 'name'] });
  const symbols = columnNamed(rows, 'symbol');
  const names = columnNamed(rows, 'name');
  if (!symbols || !names) return new Map();
  const known = new Map<string, string>();
  for (let row = 0; row < rows.rowCount; row++) {
    const name = valueAt(names, row);
    if (name !== null) known.set(String(valueAt(symbols, row)), String(name));
  }
  return known;
}
