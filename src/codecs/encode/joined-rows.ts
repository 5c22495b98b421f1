/** Rows of one piece: enough to spread the cost of a piece, few enough that its parts stay in the young heap. */
const rowsPerPiece = 1_024;

/**
 * The texts of rows 0 to `rowCount` with `between` between them, in pieces. Each piece is joined at once: text built
 * by appending is a tree of its parts until somebody reads it, which costs more than the writing.
 */
export function* joinedRows(
  write: (row: number) => string,
  rowCount: number,
  between: string,
): Generator<string> {
  for (let from = 0; from < rowCount; from += rowsPerPiece) {
    const parts = new Array<string>(Math.min(rowsPerPiece, rowCount - from));
    for (let i = 0; i < parts.length; i++) parts[i] = write(from + i);
    yield from === 0 ? parts.join(between) : between + parts.join(between);
  }
}
