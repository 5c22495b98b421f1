import { pino } from 'pino';

/**
 * Structured log: fields first, then a sentence. A client's mistake is `info`, ours `error`. A debug line with the
 * field `step` says that work begins which a crash may cut short (`flush`, `backfill-page`, `seal`, `seal-commit`,
 * `tier`, `checkpoint`); the crash tests kill the process there.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger that adds `fields` to every line. */
  child(fields: object): Logger;
}

/** Levels, most talkative first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** One JSON object a line on standard error, so that standard output stays for results. */
export function createLogger(level: LogLevel): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));
}

/** Says nothing: the default of the embedded API and of tests. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
