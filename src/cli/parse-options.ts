/** Values of flags that several commands share. */
import { InvalidArgumentError } from 'commander';
import type { ColumnType } from '../market/schema.ts';
import { parseTimeNs } from '../market/time.ts';

/** `a=x,b=y`, given once or several times, as a map. */
export function parsePairs(text: string, before?: ReadonlyMap<string, string>): Map<string, string> {
  const pairs = new Map(before);
  for (const pair of splitOutsideParentheses(text)) {
    const [, name, value] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
    if (name === undefined) throw new InvalidArgumentError(`'${pair}' is not of the form column=value.`);
    pairs.set(name.trim(), value.trim());
  }
  return pairs;
}

/** `a,b,c` as a list. */
export function parseList(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.includes('')) throw new InvalidArgumentError('A name between two commas is empty.');
  return parts;
}

/** A time a person wrote. */
export function parseTimeOption(text: string): bigint {
  try {
    return parseTimeNs(text);
  } catch {
    throw new InvalidArgumentError('Write ISO 8601 such as 2024-05-17T09:30:00Z, or a Unix time.');
  }
}

/** A column type by its name on the command line, such as `double` or `decimal(18,8)`; the error lists them all. */
export function parseColumnType(text: string): ColumnType {
  const decimal = /^decimal\((\d{1,2}),\s*(\d{1,2})\)$/.exec(text);
  if (decimal) return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) };
  switch (text) {
    case 'double':
    case 'int64':
    case 'decimal':
    case 'text':
    case 'json':
    case 'boolean':
      return { kind: text };
    case 'time':
      return { kind: 'timestamp', unit: 'us', zone: true };
    case 'time_ns':
      return { kind: 'timestamp', unit: 'ns', zone: true };
    default:
      throw new InvalidArgumentError(
        `'${text}' is none of double, int64, decimal, decimal(p,s), text, json, boolean, time, time_ns.`,
      );
  }
}

/** `price=decimal(18,8),id=int64`, given once or several times. */
export function parseColumnTypes(
  text: string,
  before?: ReadonlyMap<string, ColumnType>,
): Map<string, ColumnType> {
  const types = new Map(before);
  for (const [name, type] of parsePairs(text)) types.set(name, parseColumnType(type));
  return types;
}

function splitOutsideParentheses(text: string): string[] {
  return text.split(/,(?![^(]*\))/);
}
