import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { errorSchema } from './schemas.ts';

/** Gathers the schemas of the routes registered afterwards into an OpenAPI document. */
export async function documentApi(app: FastifyInstance, version: string): Promise<void> {
  app.addSchema(errorSchema);
  await app.register(swagger, {
    refResolver: { buildLocalReference: (schema) => String(schema.$id) },
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Candela',
        description:
          'Market data in, bars out: tables, ticks, bars of every timeframe, writes, SQL and feeds.',
        version,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          basic: { type: 'http', scheme: 'basic' },
        },
      },
      security: [{ bearer: [] }, { basic: [] }, {}],
      tags: [
        { name: 'tables', description: 'Tables, rollups and their series' },
        { name: 'rows', description: 'Ticks and bars, in and out' },
        { name: 'sql', description: 'Queries' },
        { name: 'feeds', description: 'Sources that write by themselves' },
        { name: 'server', description: 'Status' },
      ],
    },
  });
}
