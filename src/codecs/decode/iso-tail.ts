/** Characters of an ISO 8601 time up to its minute: `2024-05-17T09:30`. */
export const minuteLength = 16;

/**
 * Nanoseconds past the minute of an ISO 8601 time in UTC, from what follows its minute: `:07`, `:07.25`, `:07.25Z`. -1
 * for anything else, other zones among it.
 */
export function nanosPastMinute(text: string): number {
  const { length } = text;
  const end = length > 0 && (text.charCodeAt(length - 1) | 0x20) === 0x7a ? length - 1 : length;
  if (end < minuteLength + 3 || text.charCodeAt(minuteLength) !== 0x3a) return -1;
  const tens = text.charCodeAt(minuteLength + 1) - 0x30;
  const ones = text.charCodeAt(minuteLength + 2) - 0x30;
  if (tens < 0 || tens > 5 || ones < 0 || ones > 9) return -1;
  const seconds = tens * 10 + ones;
  const point = minuteLength + 3;
  if (point === end) return seconds * 1e9;
  const mark = text.charCodeAt(point);
  if ((mark !== 0x2e && mark !== 0x2c) || end === point + 1 || end > point + 10) return -1;
  let nanos = 0;
  for (let at = point + 1; at < point + 10; at++) {
    const digit = at < end ? text.charCodeAt(at) - 0x30 : 0;
    if (digit < 0 || digit > 9) return -1;
    nanos = nanos * 10 + digit;
  }
  return seconds * 1e9 + nanos;
}
