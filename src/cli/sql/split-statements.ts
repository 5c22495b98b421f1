/** Strings, quoted names, dollar quotes and comments, in which a semicolon ends nothing; or a semicolon. */
const pieces = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\/|;/g;

/** Statements of a SQL text, and what follows the last semicolon. */
export interface SplitText {
  /** Without their semicolons; none is blank. */
  statements: string[];
  /** Text after the last semicolon: an unfinished statement, or blank. */
  rest: string;
}

/** Cuts a SQL text at the semicolons that end statements. An unclosed quote makes everything from it on the rest. */
export function splitStatements(text: string): SplitText {
  const statements: string[] = [];
  let start = 0;
  for (const match of text.matchAll(pieces)) {
    if (match[0] !== ';') continue;
    // A quote opened before this semicolon and closed nowhere would have matched as a whole had it been closed.
    if (hasOpenQuote(text.slice(start, match.index))) break;
    const statement = text.slice(start, match.index).trim();
    if (statement !== '') statements.push(statement);
    start = match.index + 1;
  }
  return { statements, rest: text.slice(start) };
}

function hasOpenQuote(text: string): boolean {
  return /['"]|\/\*/.test(text.replace(pieces, ''));
}
