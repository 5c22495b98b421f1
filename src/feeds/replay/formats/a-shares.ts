/** What the mainland Chinese formats share: local time, float noise in prices, and codes that need their market. */
import { parseTimeNs } from '../../../market/time.ts';

/** Nanoseconds of a local date and time in Shanghai, which has had no daylight saving since 1991. */
export function shanghaiTimeNs(date: string, time: string): bigint {
  return parseTimeNs(`${date}T${time}+08:00`);
}

/** Nanoseconds of `2023.02.01T09:15:00.040`, Shanghai time. */
export function dottedTimeNs(text: string): bigint {
  return shanghaiTimeNs(text.slice(0, 10).replaceAll('.', '-'), text.slice(11));
}

/** The price without float noise: 14.699999999999999 → 14.7. Stocks trade in hundredths, funds in thousandths. */
export function cleanPrice(text: string): number {
  return Math.round(Number(text) * 1e4) / 1e4;
}
