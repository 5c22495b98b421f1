/**
 * A server for benchmarks in a process of its own, as clients meet one: started as a program it serves until its
 * parent says `stop` or goes.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import { open } from '../../src/engine/open.ts';
import { createAuthenticator } from '../../src/net/auth.ts';
import { startHttpServer } from '../../src/protocols/http/server.ts';

/** A server that runs beside this process. */
export interface HttpProcess {
  port: number;
  /** Processor time it has used so far, in ms. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a server on a directory, without feeds and page. */
export async function startHttpProcess(directory: string): Promise<HttpProcess> {
  const child = fork(fileURLToPath(import.meta.url), [directory]);
  const answer = (question: string) =>
    new Promise<number>((resolve, reject) => {
      child.once('message', (message) => resolve(Number(message)));
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
      if (question !== '') child.send(question);
    });
  const port = await answer('');
  return {
    port,
    cpuMs: () => answer('cpu'),
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.send('stop');
      }),
  };
}

async function serve(directory: string): Promise<void> {
  const database = await open({ directory });
  const none = async (): Promise<never> => {
    throw new Error('there are no feeds');
  };
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    database,
    feeds: { list: () => [], subscribe: none, unsubscribe: none },
    authenticator: createAuthenticator([]),
    log: silentLogger,
    clock: systemClock,
    webRoot: null,
    version: 'bench',
  });
  const stop = async (): Promise<void> => {
    await server.close();
    await database.close();
    if (process.connected) process.disconnect();
  };
  process.on('message', (message) => {
    const { user, system } = process.cpuUsage();
    if (message === 'cpu') process.send?.((user + system) / 1000);
    else void stop();
  });
  process.on('disconnect', () => void stop());
  process.send?.(server.port);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await serve(process.argv[2]);
