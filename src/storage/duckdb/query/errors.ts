import { CandelaError, type ErrorCode } from '../../../core/errors.ts';
import { type DuckDbError, readDuckDbError, storeError } from '../errors.ts';

/** The user's text inside the statement that was run: how many bytes precede it, and the text. */
export interface QueryFrame {
  bytesBefore: number;
  text: string;
}

/** An error of a user's query as the error to throw, with the position in the user's own text. */
export function queryError(thrown: unknown, frame: QueryFrame): CandelaError {
  if (thrown instanceof CandelaError) return thrown;
  const error = readDuckDbError(thrown);
  const code = codeOf(error);
  if (code === undefined) return storeError(thrown, 'query');
  return new CandelaError(code, error.message.replaceAll(/\s*\n\s*/g, ' '), {
    cause: thrown,
    ...helpFor(error),
    ...positionIn(error, frame),
  });
}

/** True if the error ended the transaction it happened in. */
export function endsTransaction(thrown: unknown): boolean {
  const { type } = readDuckDbError(thrown);
  return !['Parser', 'Syntax', 'Binder', 'Catalog'].includes(type);
}

const codes: Record<string, ErrorCode> = {
  Parser: 'SYNTAX',
  Syntax: 'SYNTAX',
  Binder: 'INVALID_ARGUMENT',
  Catalog: 'INVALID_ARGUMENT',
  Conversion: 'INVALID_ARGUMENT',
  'Out of Range': 'INVALID_ARGUMENT',
  'Invalid Input': 'INVALID_ARGUMENT',
  'Mismatch Type': 'INVALID_ARGUMENT',
  'Invalid type': 'INVALID_ARGUMENT',
  'Divide by Zero': 'INVALID_ARGUMENT',
  'Parameter Not Resolved': 'INVALID_ARGUMENT',
  'Parameter Not Allowed': 'INVALID_ARGUMENT',
  Expression: 'INVALID_ARGUMENT',
  Permission: 'UNSUPPORTED',
  'Not implemented': 'UNSUPPORTED',
  TransactionContext: 'UNSUPPORTED',
  INTERRUPT: 'TIMEOUT',
  'Out of Memory': 'LIMIT_EXCEEDED',
};

function codeOf({ type, subtype, message }: DuckDbError): ErrorCode | undefined {
  if (type === 'Catalog' && /^Table with name/.test(message)) return 'TABLE_NOT_FOUND';
  if (subtype === 'COLUMN_NOT_FOUND') return 'COLUMN_NOT_FOUND';
  return codes[type];
}

function helpFor({ type }: DuckDbError): { help?: string } {
  if (type === 'Permission')
    return { help: 'Queries cannot reach files or the network; use import and export.' };
  if (type === 'Out of Memory') return { help: 'Narrow the query, or give the store more memory.' };
  return {};
}

function positionIn({ position }: DuckDbError, { bytesBefore, text }: QueryFrame): { position?: number } {
  if (position === undefined || position < bytesBefore) return {};
  const offset = characterOffset(text, position - bytesBefore);
  return offset <= text.length ? { position: offset } : {};
}

/** DuckDB counts UTF-8 bytes; the position of an error counts characters. */
function characterOffset(text: string, byteOffset: number): number {
  return Buffer.from(text).toString('utf8', 0, byteOffset).length;
}
