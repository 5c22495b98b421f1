import { CandelaError } from '../../core/errors.ts';
import type { CsvFormat, Emit, FileFacts, ReplayFormat } from './format.ts';
import { readCsv, readJsonRows, readLines } from './records.ts';
import type { TextPart } from './source.ts';

/** Reads one record. */
export type RecordReader = () => void;

/** The records of one part, in pieces, each as a call that reads it. */
export async function* recordsOf(
  format: ReplayFormat,
  part: TextPart,
  facts: Omit<FileFacts, 'name'>,
  emit: Emit,
): AsyncGenerator<RecordReader[]> {
  const file = { ...facts, name: part.name };
  switch (format.shape) {
    case 'lines': {
      const read = format.reader(file, emit);
      for await (const lines of readLines(part.text)) yield lines.map((line) => () => read(line));
      return;
    }
    case 'json': {
      const read = format.reader(file, emit);
      for await (const rows of readJsonRows(part.text)) yield rows.map((row) => () => read(row));
      return;
    }
    case 'csv':
      yield* csvRecords(format, part, format.reader(file, emit));
  }
}

async function* csvRecords(
  format: CsvFormat,
  part: TextPart,
  read: (cells: readonly string[]) => void,
): AsyncGenerator<RecordReader[]> {
  let positions: number[] | null = null;
  for await (const records of readCsv(part.text)) {
    if (positions === null && records.length > 0) {
      positions = format.positions(records[0]);
      if (positions === null) throw otherFormat(format, part, records[0]);
      if (format.hasHeader) records.shift();
    }
    const wanted = positions ?? [];
    yield records.map((cells) => () => read(wanted.map((position) => cells[position] ?? '')));
  }
}

function otherFormat(format: ReplayFormat, part: TextPart, cells: string[]): CandelaError {
  const start = cells.join(',').slice(0, 120);
  return new CandelaError('INVALID_ARGUMENT', `${part.name} is not ${format.name}: it begins with ${start}`);
}
