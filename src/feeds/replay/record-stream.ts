import { CandelaError } from '../../core/errors.ts';
import type { Emit, FileFacts, ReplayFormat } from './format.ts';
import { readCsv, readJsonRows, readLines } from './records.ts';
import type { TextPart } from './source.ts';

/** The records of one part, each as a call that reads it. */
export async function* recordsOf(
  format: ReplayFormat,
  part: TextPart,
  facts: Omit<FileFacts, 'name'>,
  emit: Emit,
): AsyncGenerator<() => void> {
  const file = { ...facts, name: part.name };
  switch (format.shape) {
    case 'lines': {
      const read = format.reader(file, emit);
      for await (const lines of readLines(part.text)) for (const line of lines) yield () => read(line);
      return;
    }
    case 'json': {
      const read = format.reader(file, emit);
      for await (const rows of readJsonRows(part.text)) for (const row of rows) yield () => read(row);
      return;
    }
    case 'csv': {
      const read = format.reader(file, emit);
      let positions: number[] | null = null;
      for await (const cells of readCsv(part.text)) {
        if (positions === null) {
          positions = format.positions(cells);
          if (positions === null) throw otherFormat(format, part, cells);
          if (format.hasHeader) continue;
        }
        const wanted = positions.map((position) => cells[position] ?? '');
        yield () => read(wanted);
      }
    }
  }
}

function otherFormat(format: ReplayFormat, part: TextPart, cells: string[]): CandelaError {
  const start = cells.join(',').slice(0, 120);
  return new CandelaError('INVALID_ARGUMENT', `${part.name} is not ${format.name}: it begins with ${start}`);
}
