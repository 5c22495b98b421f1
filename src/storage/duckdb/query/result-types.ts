import { decimalBits } from '../types.ts';
import type { ResultForm } from '../vector-reader.ts';

/** How a column of a query's result is fetched: the SQL that makes it readable, and the form it then has. */
export interface ResultPlan {
  /** A cast such as `::BIGINT`, or nothing. */
  cast: string;
  form: ResultForm;
}

const int64 = { kind: 'int64' } as const;
const timeNs = { kind: 'time-ns' } as const;
const hugeint = { kind: 'decimal', bits: 128, precision: 38, scale: 0, ownScale: false } as const;

const plans: Record<string, ResultPlan> = {
  BOOLEAN: { cast: '', form: { kind: 'boolean' } },
  BIGINT: { cast: '', form: int64 },
  TINYINT: { cast: '::BIGINT', form: int64 },
  SMALLINT: { cast: '::BIGINT', form: int64 },
  INTEGER: { cast: '::BIGINT', form: int64 },
  UTINYINT: { cast: '::BIGINT', form: int64 },
  USMALLINT: { cast: '::BIGINT', form: int64 },
  UINTEGER: { cast: '::BIGINT', form: int64 },
  UBIGINT: { cast: '::HUGEINT', form: hugeint },
  HUGEINT: { cast: '', form: hugeint },
  FLOAT: { cast: '::DOUBLE', form: { kind: 'double' } },
  DOUBLE: { cast: '', form: { kind: 'double' } },
  DATE: { cast: '::TIMESTAMP_NS', form: timeNs },
  TIMESTAMP: { cast: '::TIMESTAMP_NS', form: timeNs },
  TIMESTAMP_S: { cast: '::TIMESTAMP_NS', form: timeNs },
  TIMESTAMP_MS: { cast: '::TIMESTAMP_NS', form: timeNs },
  TIMESTAMP_NS: { cast: '', form: timeNs },
  // The session's time zone is UTC.
  'TIMESTAMP WITH TIME ZONE': { cast: '::TIMESTAMP::TIMESTAMP_NS', form: timeNs },
  VARCHAR: { cast: '', form: { kind: 'text' } },
};

/** The plan for a DuckDB type by its name; what has no column kind of its own comes as DuckDB's text for it. */
export function resultPlan(type: string): ResultPlan {
  const decimal = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(type);
  if (!decimal) return plans[type] ?? { cast: '::VARCHAR', form: { kind: 'text' } };
  const [precision, scale] = [Number(decimal[1]), Number(decimal[2])];
  return {
    cast: '',
    form: { kind: 'decimal', bits: decimalBits(precision), precision, scale, ownScale: false },
  };
}
