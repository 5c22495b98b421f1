import { systemClock } from '../../src/core/clock.ts';
import type { Logger } from '../../src/core/log.ts';
import type { Database } from '../../src/engine/database.ts';
import type { FeedContext } from '../../src/feeds/feed.ts';
import { feedContext } from '../../src/feeds/manager.ts';

/** A line that was logged. */
export interface LoggedLine {
  level: 'debug' | 'info' | 'warn' | 'error';
  fields: object;
  message: string;
}

/** A logger that keeps what it is told. */
export function recordingLogger(): { log: Logger; lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const at =
    (level: LoggedLine['level']) =>
    (fields: object, message: string): void =>
      void lines.push({ level, fields, message });
  const log: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => log,
  };
  return { log, lines };
}

/** What a feed in a test is given, and the lines it logs. */
export function feedSurroundings(database: Database): { context: FeedContext; lines: LoggedLine[] } {
  const { log, lines } = recordingLogger();
  return { context: feedContext({ database, log, clock: systemClock }), lines };
}
