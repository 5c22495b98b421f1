/** Checks a feed's options from the configuration: wrong types, bounds and unknown names are all told by name. */
import { CandelaError } from '../core/errors.ts';

/** Reads options one by one; `done` refuses those nobody asked for, so that a misspelt name does not pass. */
export interface OptionReader {
  text(name: string, fallback: string): string;
  optionalText(name: string): string | undefined;
  flag(name: string, fallback: boolean): boolean;
  /** A finite number within `min` and `max`. */
  number(name: string, fallback: number, bounds: { min: number; max: number }): number;
  /** A list of texts that is not empty, or undefined. */
  optionalTexts(name: string): string[] | undefined;
  /** The option as it is, for a caller that checks it itself. */
  raw(name: string): unknown;
  /** An error that names the option, to throw. */
  bad(name: string, expected: string): CandelaError;
  done(): void;
}

/** Reads a feed's options. Every complaint is `INVALID_CONFIG` and names the option; whose it is, says who asked. */
export function readOptions(options: Record<string, unknown>): OptionReader {
  const asked = new Set<string>();
  const raw = (name: string): unknown => {
    asked.add(name);
    return options[name] ?? undefined;
  };
  const bad = (name: string, expected: string): CandelaError =>
    new CandelaError('INVALID_CONFIG', `option ${name} must be ${expected}`, {
      help: 'docs/feeds.md lists the options of every feed.',
    });
  const optionalText = (name: string): string | undefined => {
    const value = raw(name);
    if (value !== undefined && (typeof value !== 'string' || value === '')) throw bad(name, 'text');
    return value;
  };
  return {
    raw,
    bad,
    optionalText,
    optionalTexts(name) {
      const value = raw(name);
      const isList =
        Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
      if (value !== undefined && !isList) throw bad(name, 'a list of texts');
      return value as string[] | undefined;
    },
    text: (name, fallback) => optionalText(name) ?? fallback,
    flag(name, fallback) {
      const value = raw(name) ?? fallback;
      if (typeof value !== 'boolean') throw bad(name, 'true or false');
      return value;
    },
    number(name, fallback, { min, max }) {
      const value = raw(name) ?? fallback;
      if (typeof value !== 'number' || !(value >= min && value <= max)) {
        throw bad(name, `a number from ${min} to ${max}`);
      }
      return value;
    },
    done() {
      const unknown = Object.keys(options).filter((name) => !asked.has(name));
      if (unknown.length === 0) return;
      const known = [...asked].sort().join(', ');
      throw new CandelaError('INVALID_CONFIG', `no option is called ${unknown.join(', ')}`, {
        help: `The options of this feed are ${known}.`,
      });
    },
  };
}
