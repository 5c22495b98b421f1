/** Backups into the folder the server was given for them. */
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { CandelaError } from '../../../core/errors.ts';
import type { BackupInfo } from '../../../engine/database.ts';
import type { HttpContext } from '../context.ts';
import { requires } from '../context.ts';
import { answers } from '../schemas.ts';

/** Registers the route under `/api/v1`. A client names a directory in the folder, never a path. */
export function backupRoutes(app: FastifyInstance, context: HttpContext): void {
  const { database, backupsDirectory } = context;
  app.post<{ Body: { name: string } }>(
    '/backup',
    {
      onRequest: requires(context, 'admin'),
      schema: {
        tags: ['server'],
        summary: 'Copy the database while it runs',
        body: {
          type: 'object',
          required: ['name'],
          additionalProperties: false,
          properties: {
            name: {
              type: 'string',
              pattern: '^[A-Za-z0-9_-][A-Za-z0-9._-]*$',
              maxLength: 200,
              description: "New directory in the server's folder for backups.",
              examples: ['2024-05-17'],
            },
          },
        },
        response: answers('The backup is complete.', {
          lsn: { type: 'integer', description: 'Position in the log: what was written before is in it.' },
          bytes: { type: 'integer' },
        }),
      },
    },
    async ({ body }): Promise<BackupInfo> => {
      if (backupsDirectory !== null) return database.backup(join(backupsDirectory, body.name));
      throw new CandelaError('UNSUPPORTED', 'this server has no folder for backups', {
        help: 'Start it with --backups DIRECTORY.',
      });
    },
  );
}
