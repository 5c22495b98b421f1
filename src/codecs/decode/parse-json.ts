import type { CandelaError } from '../../core/errors.ts';
import { JsonReader, token } from './json-reader.ts';

/** `JSON.parse` whose failure is a `SYNTAX` error that says where. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw locate(text) ?? cause;
  }
}

/** What is wrong with a text that is not JSON, and where; undefined when it is JSON. */
export function locate(text: string): CandelaError | undefined {
  const reader = new JsonReader(Buffer.from(text));
  try {
    const found = reader.next();
    if (found === token.openArray || found === token.openObject) reader.nested();
    else reader.checkScalar(found);
    reader.expect(token.end, 'the end of the text');
    return undefined;
  } catch (error) {
    return error as CandelaError;
  }
}
