import { CandelaError } from '../../core/errors.ts';

/** What DuckDB says of an error, with `errors_as_json` on. */
export interface DuckDbError {
  /** Such as `Parser`, `Catalog`, `Binder`, `Conversion`, `INTERRUPT`, `IO`, `FATAL`. */
  type: string;
  message: string;
  /** Byte offset in the statement, where DuckDB knows it. */
  position: number | undefined;
  /** Finer kind, such as `COLUMN_NOT_FOUND`. */
  subtype: string | undefined;
}

/** Reads an error thrown by the binding: a JSON object, maybe after the type's name. */
export function readDuckDbError(thrown: unknown): DuckDbError {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const plain = /^(?:([A-Za-z ]+?)(?: Error)?: )?([\s\S]*)$/.exec(text);
  const fallback = { type: plain?.[1] ?? '', message: text.trim(), position: undefined, subtype: undefined };
  const start = text.indexOf('{"exception_type"');
  if (start < 0) return fallback;
  try {
    const json = JSON.parse(text.slice(start)) as Record<string, string | undefined>;
    return {
      type: json.exception_type ?? '',
      message: (json.exception_message ?? text).trim(),
      position: json.position === undefined ? undefined : Number(json.position),
      subtype: json.error_subtype,
    };
  } catch {
    return fallback;
  }
}

/** An error of the store's own statements (never of a user's SQL) as the error to throw. */
export function storeError(thrown: unknown, doing: string): CandelaError {
  if (thrown instanceof CandelaError) return thrown;
  const { type, message } = readDuckDbError(thrown);
  const what = `${doing}: ${message}`;
  if (type === 'FATAL' || /database has been invalidated/i.test(message)) {
    return new CandelaError('WRITES_STOPPED', what, {
      cause: thrown,
      help: 'The store met an error it cannot continue from: mend the cause named in the message and restart.',
    });
  }
  if (type === 'IO' || /no space left|could not write file/i.test(message)) {
    return new CandelaError('WRITES_STOPPED', what, { cause: thrown });
  }
  if (type === 'Catalog') return new CandelaError('TABLE_NOT_FOUND', what, { cause: thrown });
  if (type === 'Constraint') return new CandelaError('INVALID_ARGUMENT', what, { cause: thrown });
  if (type === 'Out of Memory') return new CandelaError('LIMIT_EXCEEDED', what, { cause: thrown });
  return new CandelaError('INTERNAL', what, { cause: thrown });
}
