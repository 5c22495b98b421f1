/** Requests to a Candela server, its errors as they were thrown there. */
import { CandelaError, type ErrorCode, errorTable, type RowRejection } from '../core/errors.ts';

/** Which server, and who asks. */
export interface ServerAddress {
  /** `http://host:port`; may hold `user:password@`. */
  url: string;
  /** Bearer token; wins over a user in the address. */
  token?: string | undefined;
}

/** One request under `/api/v1`. */
export interface ApiRequest {
  method?: 'GET' | 'POST' | 'PATCH';
  /** Path and query, e.g. `/tables`. */
  path: string;
  body?: string | Uint8Array<ArrayBuffer>;
  contentType?: string;
}

/** Sends a request and gives the answer, parsed. */
export type ApiCaller = <T>(request: ApiRequest) => Promise<T>;

/** Makes the caller, which throws `SERVER_UNREACHABLE` and what the server answers. `INVALID_ARGUMENT`: no address. */
export function createCaller(address: ServerAddress): ApiCaller {
  const { origin, headers } = readAddress(address);
  return async <T>({
    method = 'GET',
    path,
    body,
    contentType = 'application/json',
  }: ApiRequest): Promise<T> => {
    const response = await send(origin, `/api/v1${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': contentType }) },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    if (response.ok) return JSON.parse(text) as T;
    throw errorFrom(text, `${origin} answered ${response.status}`);
  };
}

function readAddress({ url, token }: ServerAddress): { origin: string; headers: Record<string, string> } {
  const isHttp = /^https?:\/\//.test(url) && URL.canParse(url);
  if (!isHttp) {
    throw new CandelaError('INVALID_ARGUMENT', `'${url}' is not the address of a server`, {
      help: 'Write it as http://127.0.0.1:20330.',
    });
  }
  const { origin, username, password } = new URL(url);
  if (token) return { origin, headers: { authorization: `Bearer ${token}` } };
  if (username === '') return { origin, headers: {} };
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { origin, headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` } };
}

async function send(origin: string, path: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(origin + path, request);
  } catch (thrown) {
    // fetch says only that it failed; why stands in the cause.
    const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CandelaError('SERVER_UNREACHABLE', `no answer from ${origin}: ${reason}`, { cause: thrown });
  }
}

interface ErrorBody {
  code?: string;
  message?: string;
  help?: string;
  position?: number;
  rows?: RowRejection[];
}

function errorFrom(text: string, fallback: string): CandelaError {
  let body: ErrorBody = {};
  try {
    body = JSON.parse(text) as ErrorBody;
  } catch {
    // A proxy in between answers in its own way.
  }
  const code =
    body.code !== undefined && Object.hasOwn(errorTable, body.code) ? (body.code as ErrorCode) : 'INTERNAL';
  const { help, position, rows } = body;
  return new CandelaError(code, body.message ?? fallback, {
    ...(help === undefined ? {} : { help }),
    ...(position === undefined ? {} : { position }),
    ...(rows === undefined ? {} : { rows }),
  });
}
