/** Errors as HTTP answers. */
import type { Duplex } from 'node:stream';
import { CandelaError, type ErrorKind, toCandelaError } from '../../core/errors.ts';
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

/** Anything thrown while a request is handled, in our terms, and its status. */
export function answerOf(thrown: unknown): { error: CandelaError; status: number } {
  const error = fromFramework(thrown);
  return { error, status: tooLarge(thrown) ? 413 : httpStatus(error) };
}

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
