/** Errors as HTTP answers. */
import { maxHeaderSize } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifySchemaValidationError } from 'fastify/types/schema.js';
import { CandelaError, type ErrorKind, toCandelaError } from '../../core/errors.ts';
import type { HttpLimits } from './limits.ts';
import type { WireError } from './wire.ts';

/** Status code by kind; total, so a new kind must decide. */
const statusOf: Record<ErrorKind, number> = {
  syntax: 400,
  invalid: 400,
  'not-found': 404,
  conflict: 409,
  unsupported: 501,
  unauthenticated: 401,
  denied: 403,
  limit: 429,
  timeout: 504,
  unavailable: 503,
  corruption: 500,
  internal: 500,
};

/** The status an error answers with. */
export function httpStatus(error: CandelaError): number {
  return statusOf[error.kind];
}

/** The body an error answers with. The cause and the stack stay in the log. */
export function wireError(error: CandelaError): WireError {
  return {
    code: error.code,
    message: error.message,
    help: error.help,
    ...(error.position === undefined ? {} : { position: error.position }),
    ...(error.rows === undefined ? {} : { rows: error.rows.map((row) => ({ ...row })) }),
  };
}

/** Answers on a bare socket, where there is no reply object: failed upgrades, bytes that are not HTTP. */
export function endWithError(socket: Duplex, error: CandelaError, status = httpStatus(error)): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(wireError(error));
  const lines = [
    `HTTP/1.1 ${status} Refused`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** What Node's parser could not make a request of, in our terms, and its status. */
export function brokenRequest(
  { code, message }: Error & { code?: string },
  { requestMsMax }: HttpLimits,
): { error: CandelaError; status: number } {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT': {
      const text = `the request took longer than ${requestMsMax} ms to arrive`;
      return { error: new CandelaError('TIMEOUT', text, { help: 'Send it in one go.' }), status: 408 };
    }
    case 'HPE_HEADER_OVERFLOW': {
      const text = `the address and headers of the request are larger than ${maxHeaderSize} bytes`;
      const help = 'Send a long query in the body of a POST, and fewer or shorter headers.';
      return { error: new CandelaError('LIMIT_EXCEEDED', text, { help }), status: 431 };
    }
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW': {
      const text = 'the extensions of the chunks of the body are too large';
      const help = 'Send chunks without extensions.';
      return { error: new CandelaError('LIMIT_EXCEEDED', text, { help }), status: 413 };
    }
    default: {
      const help = 'Check scheme, port and headers.';
      return {
        error: new CandelaError('SYNTAX', `the request is not HTTP: ${message}`, { help }),
        status: 400,
      };
    }
  }
}

/** What a part of a request, such as its body, has that its schema does not allow. */
export function schemaMessage([first]: readonly FastifySchemaValidationError[], part: string): string {
  const { instancePath, message = 'does not fit', params } = first;
  const named = params.additionalProperty ?? params.allowedValues;
  const detail = named === undefined ? '' : `: ${[named].flat().join(', ')}`;
  return `${part}${instancePath} ${message}${detail}`;
}

/** Anything thrown while a request is handled, in our terms, and its status. */
export function answerOf(thrown: unknown): { error: CandelaError; status: number } {
  const error = fromFramework(thrown);
  return { error, status: tooLarge(thrown) ? 413 : httpStatus(error) };
}

/** Longest part of a path that names something, such as a table. */
export const pathPartLengthMax = 1_000;

/** What Fastify, Node's HTTP and zlib throw. */
interface FrameworkError {
  code?: string;
  statusCode?: number;
  message: string;
  validation?: unknown;
}

function tooLarge(thrown: unknown): boolean {
  return (thrown as FrameworkError | null)?.code === 'FST_ERR_CTP_BODY_TOO_LARGE';
}

function fromFramework(thrown: unknown): CandelaError {
  if (thrown instanceof CandelaError || !(thrown instanceof Error)) return toCandelaError(thrown);
  const { code = '', statusCode = 500, message, validation } = thrown as FrameworkError;
  const cause = thrown;
  if (validation) return new CandelaError('INVALID_ARGUMENT', message, { cause });
  if (tooLarge(thrown)) {
    const text = 'the body, packed or unpacked, is larger than this route takes';
    return new CandelaError('LIMIT_EXCEEDED', text, { cause, help: 'Send the rows in several requests.' });
  }
  if (code === 'FST_ERR_BAD_URL' || code === 'FST_ERR_MAX_PARAM_LENGTH') {
    return new CandelaError('INVALID_ARGUMENT', 'the path of the address cannot be read', {
      cause,
      help: `Write % only before two hex digits of UTF-8; parts have at most ${pathPartLengthMax} characters.`,
    });
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new CandelaError('INVALID_ARGUMENT', message, {
      cause,
      help: 'Set the content-type header to that of the body.',
    });
  }
  if (code.startsWith('Z_')) return new CandelaError('SYNTAX', `the body is not gzip: ${message}`, { cause });
  if (thrown instanceof SyntaxError || /^FST_ERR_CTP_(?:EMPTY|INVALID)_JSON_BODY$/.test(code)) {
    return new CandelaError('SYNTAX', `the body is not JSON: ${message}`, { cause });
  }
  if (statusCode < 500) return new CandelaError('INVALID_ARGUMENT', message, { cause });
  return toCandelaError(thrown);
}
