/** From a user's password to a token: what the page asks for. */
import type { FastifyInstance } from 'fastify';
import { checkHost, type HttpContext } from '../context.ts';
import { answers } from '../schemas.ts';
import type { WireSignIn } from '../wire.ts';

/** Registers the route under `/api/v1`. It asks for nobody: who has no token yet comes here. */
export function signInRoutes(app: FastifyInstance, { authenticator }: HttpContext): void {
  app.post<{ Body: { user: string; password: string } }>(
    '/sign-in',
    {
      onRequest: async ({ headers }) => checkHost(authenticator, headers.host),
      schema: {
        tags: ['server'],
        summary: 'A bearer token for a user name and password',
        description: 'It lasts until it is not used for twelve hours, or the server stops.',
        body: {
          type: 'object',
          required: ['user', 'password'],
          additionalProperties: false,
          properties: {
            user: { type: 'string', maxLength: 200, description: 'Name of a user.', examples: ['desk'] },
            password: { type: 'string', maxLength: 1_000, description: 'The password.', examples: ['…'] },
          },
        },
        response: answers('Who you are, and what to send as a bearer token from now on.', {
          token: { type: 'string' },
          name: { type: 'string' },
          role: { type: 'string', description: 'read, write or admin.' },
        }),
      },
    },
    async ({ body, ip }): Promise<WireSignIn> => authenticator.signIn(body.user, body.password, ip),
  );
}
