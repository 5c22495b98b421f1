/**
 * Starts everything and stops everything: the only place that knows all the parts.
 *
 * Start: engine → authentication → feeds made (not running) → HTTP listens → ports file → simulator and feeds run.
 * So the page is there as soon as there is something to show, and a wrong setting is told before anything listens.
 * Stop, in reverse: feeds write what they hold, HTTP lets running requests end, the engine flushes.
 *
 * Parts are loaded when they are needed, and while the store opens: loading code is most of a start.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { planFeeds } from './feeds.ts';
import type { ServerConfig } from './options.ts';
import { badSetting } from './setting.ts';

/** What a server is given besides its settings. */
export interface ServerSurroundings {
  log: Logger;
  clock: Clock;
  version: string;
  /** Folder of the built page. */
  webRoot: string;
}

/** A server that listens. */
export interface RunningServer {
  /** Ports by protocol: what the ports file holds. */
  ports: Record<string, number>;
  /** Address of the page. */
  pageUrl: string;
  /** True while the exchange simulator stands in for a source. */
  simulated: boolean;
  /** Stops taking requests, flushes, closes. Calling it again waits for the same. */
  close(): Promise<void>;
}

/**
 * Starts a server; resolves once every protocol listens. Throws `INVALID_CONFIG` (also for a port that is taken, or an
 * address that may not be listened on without users), `DATA_DIRECTORY_IN_USE` and what opening the engine throws.
 */
export async function startServer(config: ServerConfig, around: ServerSurroundings): Promise<RunningServer> {
  const { log, clock } = around;
  // A reader that waits for the file must not find that of a server before.
  if (config.portsFile !== null) rmSync(config.portsFile, { force: true });
  const closing: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    const { authenticator, tls } = await openDoors(config);
    const { open } = await import('../engine/open.ts');
    const opening = open({
      directory: config.data,
      durability: config.durability,
      memoryBytesMax: config.memoryBudget,
      log,
      clock,
    });
    // Should loading the rest fail meanwhile, what was opened is closed all the same.
    closing.push(() =>
      opening.then(
        (database) => database.close(),
        () => undefined,
      ),
    );
    // The store opens on a thread of its own, which leaves this one free to load the rest.
    const [database, { startHttpServer }] = await Promise.all([
      opening,
      import('../protocols/http/server.ts'),
    ]);
    const feeds = await planFeeds(config, { database, log, clock });
    closing.push(() => feeds.stop());
    const http = await startHttpServer({
      host: config.host,
      port: config.httpPort,
      database,
      feeds: feeds.control,
      authenticator,
      ...(tls ? { tls } : {}),
      log,
      clock,
      webRoot: around.webRoot,
      version: around.version,
      allowedOrigins: config.allowedOrigins ?? [],
      backupsDirectory: config.backups,
    });
    closing.push(() => http.close());
    const ports = { http: http.port };
    if (config.portsFile !== null) writePortsFile(config.portsFile, ports);
    feeds.start();
    let closed: Promise<void> | undefined;
    return {
      ports,
      pageUrl: `${tls ? 'https' : 'http'}://${hostInUrl(config.host)}:${http.port}/`,
      simulated: feeds.simulated,
      close: () => (closed ??= closeAll()),
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Who may come in, and whether over TLS. Refuses an address that would let in everybody. */
async function openDoors(config: ServerConfig) {
  const { createAuthenticator, assertSafeBind } = await import('../net/auth.ts');
  const authenticator = createAuthenticator(config.users ?? []);
  assertSafeBind(config.host, authenticator);
  const { tlsCertFile: certFile, tlsKeyFile: keyFile } = config;
  if (certFile === null && keyFile === null) return { authenticator, tls: null };
  if (certFile === null || keyFile === null) {
    throw badSetting('tls', `${certFile === null ? 'certFile' : 'keyFile'} is missing; TLS needs both`);
  }
  const { loadTls } = await import('../net/tls.ts');
  return { authenticator, tls: await loadTls({ certFile, keyFile }) };
}

/** Written aside and moved into place, so that nobody reads half of it. */
function writePortsFile(path: string, ports: Record<string, number>): void {
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, `${JSON.stringify(ports)}\n`);
  renameSync(aside, path);
}

/** An address a browser can open: the wildcard addresses stand for every one of the machine's. */
function hostInUrl(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
