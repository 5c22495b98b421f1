/**
 * Lines of recorded WebSocket messages, in the three ways recorders write them:
 * `<receive time, ns> <message>` (hftbacktest), `<receive time, s>: <message>` (cryptofeed), or the message alone.
 */
import { parseTimeNs } from '../../../market/time.ts';

/** A received message, or why the line holds none. */
export type Recorded =
  | { message: Record<string, unknown>; receivedNs: bigint | null }
  | { skip: 'connection opened' | 'message sent' | 'not a JSON object' };

const stamped = /^(\d{10,19}(?:\.\d+)?)(?:: ?| )([{[].*)$/;

/** Takes one line apart; never throws. */
export function parseRecorded(line: string): Recorded {
  if (/^wss?:\/\//.test(line)) {
    return { skip: line.includes(' <-> ') ? 'connection opened' : 'message sent' };
  }
  const [, time, text = line] = stamped.exec(line) ?? [];
  try {
    const message: unknown = JSON.parse(text);
    if (typeof message === 'object' && message !== null && !Array.isArray(message)) {
      const receivedNs = time === undefined ? null : parseTimeNs(time);
      return { message: message as Record<string, unknown>, receivedNs };
    }
  } catch {
    // Reported below, like any other line without a message.
  }
  return { skip: 'not a JSON object' };
}

/** Does any of these lines hold a message of this look? */
export function someMessage(
  lines: readonly string[],
  isOurs: (message: Record<string, unknown>) => boolean,
): boolean {
  return lines.some((line) => {
    const recorded = parseRecorded(line);
    return 'message' in recorded && isOurs(recorded.message);
  });
}
