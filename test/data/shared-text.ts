/** Files of the shared data as text. */
import { openTextSource } from '../../src/feeds/replay/source.ts';
import { sharedDataPath } from '../support/shared-data.ts';

/** The whole text of a file, unpacked. */
export async function sharedText(path: string): Promise<string> {
  const source = await openTextSource(sharedDataPath(path));
  let text = '';
  for await (const part of source.parts()) for await (const piece of part.text) text += piece;
  return text;
}

/** The fields of a CSV file, without its header if it has one. */
export async function sharedCsv(
  path: string,
  { hasHeader, delimiter = ',' }: { hasHeader: boolean; delimiter?: string },
): Promise<string[][]> {
  const lines = (await sharedText(path)).split(/\r?\n/).filter((line) => line !== '');
  return lines.slice(hasHeader ? 1 : 0).map((line) => line.split(delimiter));
}

/** The rows of a CSV file by the names in its header. */
export async function sharedRecords(path: string): Promise<Record<string, string>[]> {
  const [names, ...rows] = await sharedCsv(path, { hasHeader: false });
  return rows.map((row) => Object.fromEntries(names.map((name, i) => [name.trim(), row[i]])));
}
