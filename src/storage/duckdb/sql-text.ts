/** An identifier in SQL text, whatever characters it holds. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string literal in SQL text. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The physical table of that number, qualified. */
export function tableName(id: number): string {
  return `candela.t${id}`;
}
