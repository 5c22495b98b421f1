import { Agent, request } from 'node:http';

/** Sends a body and resolves with the answer's text; anything but 200 is an error. */
export type Post = (path: string, contentType: string, body: Buffer) => Promise<string>;

/** A client that keeps at most so many connections open; further requests wait for one. */
export function httpClient(port: number, connections: number): Post {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return (path, contentType, body) =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': contentType, 'content-length': body.length };
      const options = { host: '127.0.0.1', port, path, method: 'POST', agent, headers };
      const sent = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
      });
      sent.on('error', reject);
      sent.end(body);
    });
}

/** {@link Post} of a value as JSON, under `/api/v1/`. */
export function postJson(post: Post, path: string, value: unknown): Promise<string> {
  return post(`/api/v1/${path}`, 'application/json', Buffer.from(JSON.stringify(value)));
}
