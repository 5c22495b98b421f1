/** A series is one value of its table's series key; the page names it by that value, such as `BTC/USD · Coinbase`. */

/** Name of the one series of a table without a series key. */
export const onlySeries = '(all rows)';

/** What a series is called on the page and in links. */
export function seriesLabel(keyValues: readonly string[]): string {
  return keyValues.length === 0 ? onlySeries : keyValues.join(' · ');
}
