/** The REST API, as far as the page needs it. Addresses are relative to the page. */
import type {
  WireColumnsResult,
  WireError,
  WireSignIn,
  WireStatus,
  WireSymbols,
  WireTable,
  WireTables,
} from '../../src/protocols/http/wire.ts';

/** What a request may end in: the server's own error, or `UNREACHABLE` when there was no answer at all. */
export class ApiError extends Error {
  readonly code: string;
  readonly help: string;

  constructor(error: Pick<WireError, 'code' | 'message' | 'help'>) {
    super(error.message);
    this.name = 'ApiError';
    this.code = error.code;
    this.help = error.help;
  }
}

/** A range of bars, newest first. */
export interface BarsQuery {
  table: string;
  timeframe: string;
  /** Value of each column of the series key. */
  key: Record<string, string>;
  /** Exclusive. */
  toMs: number;
  limit: number;
}

/** The calls the page makes once it is let in. All throw {@link ApiError}, or an `AbortError` once the signal fires. */
export interface Api {
  status(signal?: AbortSignal): Promise<WireStatus>;
  tables(): Promise<WireTable[]>;
  symbols(table: string): Promise<WireSymbols['symbols']>;
  bars(query: BarsQuery, signal: AbortSignal): Promise<WireColumnsResult>;
}

/** The API of the server that served the page; `token` goes with every call if there is one. */
export function createApi(baseUrl: string, token: () => string | null): Api {
  const get = async <T>(path: string, query: Record<string, string>, signal?: AbortSignal): Promise<T> => {
    const url = new URL(`api/v1/${path}?${new URLSearchParams(query)}`, baseUrl);
    const bearer = token();
    const headers = { accept: 'application/json', ...(bearer ? { authorization: `Bearer ${bearer}` } : {}) };
    const response = await answerTo(url, { headers, signal: signal ?? null });
    const body: unknown = await response.json().catch(() => null);
    if (!response.ok || body === null) throw new ApiError(errorIn(body, response));
    return body as T;
  };
  return {
    status: (signal) => get('status', {}, signal),
    tables: async () => (await get<WireTables>('tables', {})).tables,
    symbols: async (table) => (await get<WireSymbols>('symbols', { table })).symbols,
    bars: ({ table, timeframe, key, toMs, limit }, signal) => {
      const range = {
        table,
        timeframe,
        to: new Date(toMs).toISOString(),
        limit: String(limit),
        order: 'desc',
      };
      return get('bars', { ...key, ...range, format: 'columns', time: 'ms' }, signal);
    },
  };
}

/** By user name and password to a token. Throws {@link ApiError}. */
export async function signIn(baseUrl: string, user: string, password: string): Promise<string> {
  const response = await answerTo(new URL('api/v1/sign-in', baseUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, password }),
  });
  const body = (await response.json().catch(() => null)) as WireSignIn | null;
  if (!response.ok || body === null) throw new ApiError(errorIn(body, response));
  return body.token;
}

async function answerTo(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError({
      code: 'UNREACHABLE',
      message: 'The Candela server does not answer.',
      help: 'Start it with “npm start” or “candela start”. This page connects by itself as soon as it runs.',
    });
  }
}

function errorIn(body: unknown, response: Response): Pick<WireError, 'code' | 'message' | 'help'> {
  const error = body as Partial<WireError> | null;
  return {
    code: error?.code ?? `HTTP_${response.status}`,
    message: error?.message ?? `The server answered ${response.status} ${response.statusText}`.trim(),
    help: error?.help ?? 'See the server’s log.',
  };
}
