import { CandelaError, type ErrorCode, type RowRejection } from '../../../core/errors.ts';

/** An error as plain data: between threads an Error would lose its class and what that adds. */
export interface PackedError {
  /** Null for errors that are no `CandelaError`. */
  code: ErrorCode | null;
  name: string;
  message: string;
  stack: string | undefined;
  help: string | undefined;
  position: number | undefined;
  rows: readonly RowRejection[] | undefined;
  cause: PackedError | null;
}

/** Longest chain of causes that is kept. */
const causesMax = 8;

/** Anything thrown as plain data. */
export function packError(thrown: unknown, causesLeft = causesMax): PackedError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const known = error instanceof CandelaError ? error : undefined;
  return {
    code: known?.code ?? null,
    name: error.name,
    message: error.message,
    stack: error.stack,
    help: known?.help,
    position: known?.position,
    rows: known?.rows,
    cause: error.cause === undefined || causesLeft === 0 ? null : packError(error.cause, causesLeft - 1),
  };
}

/** The error again, with the stack of where it was thrown. */
export function unpackError(packed: PackedError): Error {
  const { code, name, message, stack, help, position, rows } = packed;
  const cause = packed.cause === null ? {} : { cause: unpackError(packed.cause) };
  const error =
    code === null
      ? new Error(message, cause)
      : new CandelaError(code, message, {
          ...cause,
          ...(help === undefined ? {} : { help }),
          ...(position === undefined ? {} : { position }),
          ...(rows === undefined ? {} : { rows }),
        });
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
