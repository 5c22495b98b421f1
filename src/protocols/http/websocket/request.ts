import type { RawData } from 'ws';
import { parseJson } from '../../../codecs/decode/parse-json.ts';
import { CandelaError } from '../../../core/errors.ts';
import type { WireRequest } from '../wire.ts';

const help =
  'Send {"op":"subscribe","id":"a","table":"…","timeframe":"1m","symbols":["…"]}, ' +
  '{"op":"unsubscribe","id":"a"} or {"op":"ping"}.';

/** Longest id a client may give a subscription, in characters. */
const idLengthMax = 200;

/** A client's message before it is checked. */
export type Message = Record<string, unknown>;

/** Reads a client's message. Throws `SYNTAX`, `INVALID_ARGUMENT`. */
export function parseMessage(data: RawData, isBinary: boolean): Message {
  if (isBinary) throw malformed('a binary message');
  const value = parseJson(String(data));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('not an object');
  return value as Message;
}

/** The message as a request. Throws `INVALID_ARGUMENT` naming the field. */
export function checkRequest(message: Message): WireRequest {
  const { op, id } = message;
  if (op === 'ping') return { op };
  if (op !== 'subscribe' && op !== 'unsubscribe') throw malformed(`op ${JSON.stringify(op)}`);
  if (typeof id !== 'string' || id.length > idLengthMax) {
    throw malformed(`id is not a string of up to ${idLengthMax} characters`);
  }
  if (op === 'unsubscribe') return { op, id };
  for (const [name, value] of Object.entries(message)) checkField(name, value);
  if (message.table === undefined) throw malformed('table is missing');
  return message as WireRequest;
}

/** What each field of a subscription must be. */
const fields: Record<string, [check: (value: unknown) => boolean, wanted: string]> = {
  op: [isString, 'a string'],
  id: [isString, 'a string'],
  table: [isString, 'a string'],
  timeframe: [isString, 'a string'],
  symbols: [(value) => Array.isArray(value) && value.every(isString), 'a list of strings'],
  live: [(value) => typeof value === 'boolean', 'true or false'],
  closed: [(value) => typeof value === 'boolean', 'true or false'],
  snapshot: [isCount, 'a whole number from 0'],
  throttleMs: [isCount, 'a whole number from 0'],
  time: [(value) => ['iso', 's', 'ms', 'us', 'ns'].includes(String(value)), 'iso, s, ms, us or ns'],
};

/** A field nobody knows is most likely misspelt: it is refused, not passed over. */
function checkField(name: string, value: unknown): void {
  if (!Object.hasOwn(fields, name)) throw malformed(`there is no field '${name}'`);
  const [check, wanted] = fields[name];
  if (!check(value)) throw malformed(`${name} is not ${wanted}`);
}

function isString(value: unknown): boolean {
  return typeof value === 'string';
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function malformed(what: string): CandelaError {
  return new CandelaError('INVALID_ARGUMENT', `a message that is not understood: ${what}`, { help });
}
