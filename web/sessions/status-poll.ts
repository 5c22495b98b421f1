/** Asks the server every two seconds how it is. */
import type { WireStatus } from '../../src/protocols/http/wire.ts';
import { type Api, ApiError } from '../api-client/http.ts';

const intervalMs = 2_000;
const timeoutMs = 5_000;

/** Whom the poll tells. */
export interface StatusPollParts {
  api: Api;
  onStatus(status: WireStatus): void;
  onError(error: ApiError): void;
}

/** Starts at once; a page nobody sees asks nothing. `pollNow` asks out of turn. */
export function startStatusPoll(parts: StatusPollParts): { pollNow(): void } {
  let isAsking = false;
  const poll = async (): Promise<void> => {
    if (isAsking || document.hidden) return;
    isAsking = true;
    try {
      parts.onStatus(await parts.api.status(AbortSignal.timeout(timeoutMs)));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      parts.onError(error);
    } finally {
      isAsking = false;
    }
  };
  void poll();
  setInterval(() => void poll(), intervalMs);
  return { pollNow: () => void poll() };
}
