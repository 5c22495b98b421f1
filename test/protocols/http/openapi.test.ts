import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './support.ts';

interface Parameter {
  name: string;
  description?: string;
  example?: unknown;
  examples?: unknown;
}
interface Schema {
  type?: string;
  description?: string;
  oneOf?: unknown[];
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: boolean;
}
interface Operation {
  summary?: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, { description: string; content?: Record<string, unknown> }>;
}
interface Document {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
}

let server: TestServer;
let document: Document;
let operations: [string, Operation][];

beforeAll(async () => {
  server = await startTestServer();
  document = (await server.json('/api/v1/openapi.json')) as unknown as Document;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method} ${path}`,
      operation,
    ]),
  );
});
afterAll(() => server.end());

it('describes every route of the API', () => {
  expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Candela', version: 'test' } });
  expect(operations.map(([name]) => name).sort()).toEqual([
    'delete /api/v1/tables/{name}',
    'delete /api/v1/tables/{name}/rows',
    'get /api/v1/bars',
    'get /api/v1/feeds',
    'get /api/v1/latest',
    'get /api/v1/sql',
    'get /api/v1/status',
    'get /api/v1/symbols',
    'get /api/v1/tables',
    'get /api/v1/tables/{name}',
    'get /api/v1/tables/{name}/gaps',
    'get /api/v1/ticks',
    'patch /api/v1/tables/{name}',
    'post /api/v1/backup',
    'post /api/v1/candles',
    'post /api/v1/feeds/{name}/subscribe',
    'post /api/v1/feeds/{name}/unsubscribe',
    'post /api/v1/retention',
    'post /api/v1/rollups',
    'post /api/v1/sign-in',
    'post /api/v1/sql',
    'post /api/v1/tables',
    'post /api/v1/tables/{name}/refresh',
    'post /api/v1/write/{table}',
  ]);
});

it('tells of each parameter what it is, with an example', () => {
  for (const [name, { parameters = [] }] of operations) {
    for (const parameter of parameters) {
      expect(parameter.description, `${name} ${parameter.name}`).toBeTruthy();
      expect('example' in parameter || 'examples' in parameter, `${name} ${parameter.name}`).toBe(true);
    }
  }
});

it('tells of each route what it answers, and the form of its errors', () => {
  const error = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  expect(document.components.schemas.Error).toMatchObject({ required: ['code', 'message', 'help'] });
  for (const [name, { summary, responses }] of operations) {
    expect(summary, name).toBeTruthy();
    expect(Object.keys(responses), name).toEqual(['200', '4XX', '5XX']);
    expect(responses['4XX'].content, name).toEqual(error);
    expect(responses['5XX'].content, name).toEqual(error);
  }
});

it('says what bodies hold, and answers', () => {
  const contents = (part: unknown) => (part as { content: Record<string, { schema: Schema }> }).content;
  for (const [name, { requestBody, responses }] of operations) {
    const body = requestBody && contents(requestBody)['application/json'].schema;
    if (body && !name.includes('/write/')) expect([name, body.additionalProperties]).toEqual([name, false]);
    const answer = contents(responses['200'])['application/json']?.schema;
    if (answer.oneOf || name.startsWith('delete')) continue;
    expect(Object.keys(answer.properties ?? {}), name).not.toEqual([]);
    for (const [field, schema] of Object.entries(answer.properties ?? {})) {
      const isBare = schema.type === 'object' && !schema.properties && !schema.description;
      const isBareList =
        schema.type === 'array' && schema.items?.type === 'object' && !schema.items.properties;
      expect([name, field, isBare || isBareList]).toEqual([name, field, false]);
    }
  }
});

it('names the forms of what is written and read', () => {
  const { post } = document.paths['/api/v1/write/{table}'];
  expect(Object.keys(post.requestBody?.content ?? {})).toEqual([
    'application/json',
    'application/x-ndjson',
    'text/csv',
    'application/vnd.apache.arrow.stream',
    'application/vnd.apache.arrow.file',
  ]);
  const { get } = document.paths['/api/v1/bars'];
  expect(Object.keys(get.responses['200'].content ?? {})).toEqual([
    'application/json',
    'text/csv',
    'application/vnd.apache.arrow.stream',
  ]);
});
