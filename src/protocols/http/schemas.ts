/** Pieces of request schemas that several routes share; they also make up the OpenAPI document. */

/** A JSON schema. */
export type Schema = Record<string, unknown>;

/** The error answer of every route. */
export const errorSchema: Schema = {
  type: 'object',
  description: 'What was wrong, where, and what to do.',
  properties: {
    code: { type: 'string', examples: ['TABLE_NOT_FOUND'] },
    message: { type: 'string' },
    help: { type: 'string' },
    position: { type: 'integer', description: 'Character in the text sent, from 0.' },
    rows: { type: 'array', items: { type: 'object', additionalProperties: true } },
  },
};

/** An answer of any shape with a description, and the errors. */
export function answers(description: string): Schema {
  return {
    200: { description, type: 'object', additionalProperties: true },
    '4xx': { description: 'The request cannot be carried out.', ...errorSchema },
    '5xx': { description: 'The server cannot carry it out at present.', ...errorSchema },
  };
}

/** Query parameters of range reads. */
export const rangeParameters: Record<string, Schema> = {
  table: { type: 'string', description: 'Ticks table or rollup.', examples: ['stocks_real_time'] },
  symbol: {
    type: 'string',
    description:
      'Value of the first series key column; several with commas, `*` for any characters. Others go by their names.',
    examples: ['AAPL', 'BTC/*'],
  },
  from: {
    type: 'string',
    description: 'Inclusive: ISO 8601 or a Unix time.',
    examples: ['2024-05-17T09:30:00Z', '1715938200'],
  },
  to: { type: 'string', description: 'Exclusive.', examples: ['2024-05-18'] },
  limit: {
    type: 'integer',
    minimum: 0,
    description: 'Rows at the most, from the end that `order` begins with.',
    examples: [500],
  },
  order: { type: 'string', enum: ['asc', 'desc'], description: 'By time, then arrival.' },
  columns: { type: 'string', description: 'Names with commas; all by default.', examples: ['time,close'] },
  cursor: { type: 'string', description: 'The cursor of the page before.' },
  format: {
    type: 'string',
    enum: ['json', 'columns', 'csv', 'arrow'],
    description: 'Default: by the Accept header, else json.',
  },
  time: {
    type: 'string',
    enum: ['iso', 's', 'ms', 'us', 'ns'],
    description: 'How times are written; default iso.',
  },
  live: { type: 'boolean', description: 'Include bars that may still change; default true.' },
};

/** The query parameters named, `required` ones among them, others left to the route. */
export function query(names: string[], required: string[], more: Record<string, Schema> = {}): Schema {
  const properties = { ...Object.fromEntries(names.map((name) => [name, rangeParameters[name]])), ...more };
  return { type: 'object', properties, required, additionalProperties: true };
}
