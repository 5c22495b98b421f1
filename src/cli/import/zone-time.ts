/** Times without a zone, read as local times of one. */
import { CandelaError } from '../../core/errors.ts';
import { nsPerMs, parseTimeNs } from '../../market/time.ts';

const hourMs = 3_600_000;

/** Reads a time as `parseTimeNs` does, but takes texts without a zone as local times. Numbers are always UTC. */
export type TimeReader = (text: string) => bigint;

/**
 * A reader for local times of an IANA zone (`America/New_York`). A time that daylight saving skips is moved on by the
 * shift, one that happens twice is taken as the first. Throws `INVALID_ARGUMENT` for a zone nobody knows.
 */
export function zoneTimeReader(zone: string): TimeReader {
  const offsetMs = zoneOffsets(zone);
  return (text) => {
    const ns = parseTimeNs(text);
    if (!isLocal(text)) return ns;
    const localMs = Number(ns / nsPerMs);
    // The offset before a change of the clocks and the one after: the local time fits one of them, both or neither.
    const before = offsetMs(localMs - 24 * hourMs);
    const after = offsetMs(localMs + 24 * hourMs);
    const offset =
      offsetMs(localMs - before) === before ? before : offsetMs(localMs - after) === after ? after : before;
    return ns - BigInt(offset) * nsPerMs;
  };
}

/** ISO 8601 without a zone, as opposed to a Unix time or a text that names its zone. */
function isLocal(text: string): boolean {
  const trimmed = text.trim();
  return /^\d{4}-/.test(trimmed) && !/:\d{2}.*(?:z|[+-]\d{2}(?::?\d{2})?)$/i.test(trimmed);
}

/** How far a zone's clocks are ahead of UTC, in ms, at a UTC time. Changes fall on quarters of an hour. */
function zoneOffsets(zone: string): (utcMs: number) => number {
  const format = zoneFormat(zone);
  const known = new Map<number, number>();
  const step = hourMs / 4;
  return (utcMs) => {
    const slot = Math.floor(utcMs / step);
    let offset = known.get(slot);
    if (offset === undefined) {
      const at = slot * step;
      const parts = Object.fromEntries(
        format.formatToParts(at).map(({ type, value }) => [type, Number(value)]),
      );
      offset = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) - at;
      known.set(slot, offset);
    }
    return offset;
  };
}

function zoneFormat(zone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (cause) {
    throw new CandelaError('INVALID_ARGUMENT', `'${zone}' is not a time zone`, {
      help: 'Use an IANA name such as America/New_York, Asia/Shanghai or UTC.',
      cause,
    });
  }
}
