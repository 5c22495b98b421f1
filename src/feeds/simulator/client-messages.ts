/** What clients of the simulator may send: Twelve Data's actions, and `simulate` for the mischief only we offer. */
import type { Behaviour } from './market.ts';

/** A client's request, understood. */
export type ClientAction =
  | { action: 'subscribe' | 'unsubscribe'; symbols: string[] }
  | { action: 'reset' | 'heartbeat' }
  | {
      action: 'simulate';
      behaviour: Partial<Behaviour>;
      burst: number;
      silent: boolean | null;
      drop: DropKind | null;
    }
  | { action: 'invalid'; reason: string };

/** How a connection ends on request: by a clean close, or as if the network broke. */
export type DropKind = 'close' | 'terminate';

type Json = Record<string, unknown>;

const burstMax = 100_000;

/** Understands one text frame; never throws. */
export function parseClientAction(text: string): ClientAction {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return invalid('the message is not JSON');
  }
  const { action, params } = isObject(message) ? message : ({} as Json);
  switch (action) {
    case 'subscribe':
    case 'unsubscribe': {
      const symbols = isObject(params) ? symbolsOf(params.symbols) : null;
      return symbols ? { action, symbols } : invalid(`${action} needs params.symbols`);
    }
    case 'reset':
    case 'heartbeat':
      return { action };
    case 'simulate':
      return isObject(params) ? parseSimulate(params) : invalid('simulate needs params');
    default:
      return invalid(`unknown action ${JSON.stringify(action) ?? 'nothing'}`);
  }
}

function symbolsOf(value: unknown): string[] | null {
  if (typeof value === 'string') return splitSymbols(value);
  if (!Array.isArray(value)) return null;
  const texts = value.map((entry) => (isObject(entry) ? entry.symbol : entry));
  return texts.every((entry) => typeof entry === 'string') ? texts.flatMap(splitSymbols) : null;
}

function splitSymbols(text: string): string[] {
  const symbols = text.split(',').map((symbol) => symbol.trim().toUpperCase());
  return symbols.filter((symbol) => symbol !== '');
}

function parseSimulate(params: Json): ClientAction {
  const behaviour: Partial<Behaviour> = {};
  for (const [name, max] of Object.entries(behaviourMax)) {
    const value = params[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value >= 0 && value <= max)) {
      return invalid(`${name} must be a number from 0 to ${max}`);
    }
    behaviour[name as keyof typeof behaviourMax] = value;
  }
  const { burst = 0, silent = null, drop = null } = params;
  if (typeof burst !== 'number' || !(burst >= 0 && burst <= burstMax)) {
    return invalid(`burst must be a number from 0 to ${burstMax}`);
  }
  if (silent !== null && typeof silent !== 'boolean') return invalid('silent must be true or false');
  if (drop !== null && drop !== 'close' && drop !== 'terminate') {
    return invalid('drop must be close or terminate');
  }
  return { action: 'simulate', behaviour, burst, silent, drop };
}

const behaviourMax = { rate: 50_000, lateShare: 1, lateMs: 3_600_000, duplicateShare: 1 } as const;

function invalid(reason: string): ClientAction {
  return { action: 'invalid', reason };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
