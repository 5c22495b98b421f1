/** The formats `candela import` reads, and how a file's name tells them. */

/** The formats `candela import` reads. */
export const importFormats = ['csv', 'ndjson', 'parquet', 'arrow'] as const;

/** One of {@link importFormats}. */
export type ImportFormat = (typeof importFormats)[number];

const endings: Record<string, ImportFormat> = {
  csv: 'csv',
  tsv: 'csv',
  txt: 'csv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  parquet: 'parquet',
  arrow: 'arrow',
  arrows: 'arrow',
  feather: 'arrow',
  ipc: 'arrow',
};

/** The format that a file's name tells, behind `.gz`; null when it tells none. */
export function formatOf(name: string): ImportFormat | null {
  return endings[/\.(\w+)$/.exec(name.toLowerCase().replace(/\.gz$/, ''))?.[1] ?? ''] ?? null;
}
