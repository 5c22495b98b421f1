import type { SymbolRequest } from './messages.ts';

/** As many symbols as one connection may hold; what a mistaken list should not pass. */
const symbolsMax = 10_000;
const details = ['exchange', 'mic_code', 'country', 'type'] as const;

/**
 * Symbols as a user writes them: `'AAPL, btc/usd'`, a list of such texts, or objects `{ symbol, exchange, … }`.
 * Symbols come back in upper case, each once. Undefined when it is none of these.
 */
export function parseSymbols(value: unknown): SymbolRequest[] | undefined {
  const entries = Array.isArray(value) ? value : [value];
  const requests = new Map<string, SymbolRequest>();
  for (const entry of entries) {
    const parsed = typeof entry === 'string' ? splitText(entry) : parseObject(entry);
    if (!parsed) return undefined;
    for (const request of parsed) requests.set(symbolText(request), request);
  }
  return requests.size > symbolsMax ? undefined : [...requests.values()];
}

function splitText(text: string): SymbolRequest[] {
  const symbols = text.split(',').map((symbol) => symbol.trim().toUpperCase());
  return symbols.filter((symbol) => symbol !== '').map((symbol) => ({ symbol }));
}

function parseObject(entry: unknown): SymbolRequest[] | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const fields = entry as Record<string, unknown>;
  const { symbol } = fields;
  if (typeof symbol !== 'string' || symbol.trim() === '') return undefined;
  const request: SymbolRequest = { symbol: symbol.trim().toUpperCase() };
  for (const name of details) {
    const value = fields[name];
    if (value === undefined) continue;
    if (typeof value !== 'string') return undefined;
    request[name] = value;
  }
  return [request];
}

/** The request as one word for status and log: `AAPL`, or `AAPL:NASDAQ` when a venue is part of it. */
export function symbolText(request: SymbolRequest): string {
  const venue = details.map((name) => request[name]).filter((value) => value !== undefined);
  return [request.symbol, ...venue].join(':');
}
