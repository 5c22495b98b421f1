/** Requests to a Candela server, its errors as they were thrown there. */
import { once } from 'node:events';
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
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
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path and query, e.g. `/tables`. */
  path: string;
  body?: string | Uint8Array;
  contentType?: string;
}

/** Sends a request and gives the answer, parsed. */
export type ApiCaller = <T>(request: ApiRequest) => Promise<T>;

/**
 * Makes the caller, which throws `SERVER_UNREACHABLE` and what the server answers. `INVALID_ARGUMENT`: no address.
 * It waits for an answer however long that takes, as a large backup does.
 */
export function createCaller(address: ServerAddress): ApiCaller {
  const { origin, headers } = readAddress(address);
  return async <T>({ method = 'GET', path, body, contentType }: ApiRequest): Promise<T> => {
    const sent = body === undefined ? {} : { 'content-type': contentType ?? 'application/json' };
    const { status, text } = await send(new URL(`/api/v1${path}`, origin), body, {
      method,
      headers: { ...headers, ...sent, 'accept-encoding': 'gzip' },
    });
    if (status < 300) return JSON.parse(text) as T;
    throw errorFrom(text, `${origin} answered ${status}`);
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

/** Over `node:http`, because `fetch` gives up on an answer that has not begun after five minutes. */
async function send(
  url: URL,
  body: ApiRequest['body'],
  options: RequestOptions,
): Promise<{ status: number; text: string }> {
  try {
    const request = url.protocol === 'https:' ? https.request(url, options) : http.request(url, options);
    const answered = once(request, 'response') as Promise<[IncomingMessage]>;
    request.end(body);
    const [answer] = await answered;
    // From here on what goes wrong shows in the answer.
    request.on('error', () => undefined);
    const isPacked = answer.headers['content-encoding'] === 'gzip';
    const text = await readAll(isPacked ? pipeline(answer, createGunzip(), () => undefined) : answer);
    return { status: answer.statusCode ?? 0, text };
  } catch (cause) {
    // Where a name has several addresses, none of which answers, the message is empty.
    const { message, code } = cause as NodeJS.ErrnoException;
    const reason = message || code;
    throw new CandelaError('SERVER_UNREACHABLE', `no answer from ${url.origin}: ${reason}`, { cause });
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
