import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** One line from standard input: asked for without echo on a terminal, read as it comes from a pipe. */
export async function readSecret(question: string): Promise<string> {
  const { stdin, stderr } = process;
  const echoless = new Writable({ write: (_chunk, _encoding, done) => done() });
  if (stdin.isTTY) stderr.write(question);
  const lines = createInterface({ input: stdin, output: echoless, terminal: stdin.isTTY === true });
  try {
    // A pipe that ends without a line gives no answer at all.
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    return await Promise.race([lines.question(''), ended]);
  } finally {
    lines.close();
    if (stdin.isTTY) stderr.write('\n');
  }
}
