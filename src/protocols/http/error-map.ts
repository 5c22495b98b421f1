/** Errors as HTTP answers. */
import type { CandelaError, ErrorKind } from '../../core/errors.ts';
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

/** The body an error answers with. Internal errors keep their cause to the log. */
export function wireError(error: CandelaError): WireError {
  return {
    code: error.code,
    message: error.message,
    help: error.help,
    ...(error.position === undefined ? {} : { position: error.position }),
    ...(error.rows === undefined ? {} : { rows: error.rows.map((row) => ({ ...row })) }),
  };
}
