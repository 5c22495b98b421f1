/** Pieces of request schemas that several routes share; they also make up the OpenAPI document. */

/** A JSON schema. */
export type Schema = Record<string, unknown>;

/** Rows that a write refused. */
export const rowRejections: Schema = {
  type: 'array',
  description: 'Rows refused, numbered from 0 as they were sent.',
  items: {
    type: 'object',
    properties: {
      row: { type: 'integer' },
      column: { type: ['string', 'null'] },
      reason: { type: 'string' },
    },
  },
};

/** The error answer of every route; routes refer to it by its `$id`. */
export const errorSchema: Schema = {
  $id: 'Error',
  type: 'object',
  description: 'What was wrong, where, and what to do.',
  required: ['code', 'message', 'help'],
  properties: {
    code: { type: 'string', examples: ['TABLE_NOT_FOUND'] },
    message: { type: 'string', examples: ["there is no table 'trade'"] },
    help: { type: 'string', examples: ['List the tables with GET /api/v1/tables or database.tables().'] },
    position: { type: 'integer', description: 'Character in the text sent, from 0.' },
    rows: rowRejections,
  },
};

/** An answer in JSON, an object with these properties, and the errors. Answers are documented by it, never changed. */
export function answers(description: string, properties: Record<string, Schema> = {}): Schema {
  const schema = { type: 'object', properties, additionalProperties: true };
  return { 200: { description, content: { 'application/json': { schema } } }, ...errors };
}

const error = { 'application/json': { schema: { $ref: 'Error#' } } };
const errors = {
  '4xx': { description: 'The request cannot be carried out.', content: error },
  '5xx': { description: 'The server cannot carry it out at present.', content: error },
};

/** Rows in any of the forms `format` names, with `more` beside them in JSON, and the errors. */
export function rowAnswers(more: Record<string, Schema> = {}): Schema {
  const cursor = { type: ['string', 'null'], description: 'Where the next page begins; null on the last.' };
  const asRows = { rows: { type: 'array', items: { type: 'object', additionalProperties: true } }, cursor };
  const asColumns = {
    columns: { type: 'object', additionalProperties: { type: 'array', items: {} } },
    cursor,
  };
  const json = [asRows, asColumns].map((properties) => ({
    type: 'object',
    properties: { ...properties, ...more },
  }));
  return {
    200: {
      description: 'Rows. The header x-candela-cursor holds the cursor in every form.',
      content: {
        'application/json': { schema: { oneOf: json } },
        'text/csv': { schema: { type: 'string' } },
        'application/vnd.apache.arrow.stream': { schema: { type: 'string', format: 'binary' } },
      },
    },
    ...errors,
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
    description: 'Rows at the most, from the end that `order` begins with; default 1,000, at most 1,000,000.',
    examples: [500],
  },
  order: {
    type: 'string',
    enum: ['asc', 'desc'],
    description: 'By time, then arrival; default asc.',
    examples: ['desc'],
  },
  columns: { type: 'string', description: 'Names with commas; all by default.', examples: ['time,close'] },
  cursor: {
    type: 'string',
    description: 'The cursor of the page before, to go on after it; empty for the first page.',
    examples: ['MTcxNTkzODIwMA'],
  },
  format: {
    type: 'string',
    enum: ['json', 'columns', 'csv', 'arrow'],
    description: 'Default: by the Accept header, else json.',
    examples: ['columns'],
  },
  time: {
    type: 'string',
    enum: ['iso', 's', 'ms', 'us', 'ns'],
    description: 'How times are written; default iso.',
    examples: ['ms'],
  },
  live: {
    type: 'boolean',
    description: 'Include bars that may still change; default true.',
    examples: [false],
  },
};

/** The query parameters named, `required` ones among them, others left to the route. */
export function query(names: string[], required: string[], more: Record<string, Schema> = {}): Schema {
  const properties = { ...Object.fromEntries(names.map((name) => [name, rangeParameters[name]])), ...more };
  return { type: 'object', properties, required, additionalProperties: true };
}
