/** The built server as a process: how it starts, what it says, how it ends. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type CandelaServer,
  mustRunCandela,
  runCandela,
  scratchFolder,
  startCandela,
} from '../support/candela.ts';
import { makeCertificate } from '../support/certificate.ts';
import { isMissing } from '../support/need.ts';

const { folder, remove } = scratchFolder('server');
/** None where openssl is not installed. */
const certificate = makeCertificate();
afterAll(remove);

let count = 0;
function freshFolder(): string {
  const fresh = join(folder, String(count++));
  mkdirSync(fresh);
  return fresh;
}

async function withServer(
  args: readonly string[],
  test: (server: CandelaServer, fresh: string) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  const fresh = freshFolder();
  const server = await startCandela(fresh, args, { env });
  try {
    await test(server, fresh);
  } finally {
    await server.end('SIGKILL');
  }
}

interface Status {
  simulated: boolean;
  feeds: { name: string; state: string; simulated: boolean; rowsWritten: number }[];
  database: { rowsWritten: number };
}

async function getJson<T>(url: string, headers: Record<string, string> = {}): Promise<T> {
  return (await (await fetch(url, { headers })).json()) as T;
}

async function waitFor<T>(ask: () => Promise<T>, isThere: (answer: T) => boolean): Promise<T> {
  for (let tries = 0; tries < 200; tries++) {
    const answer = await ask();
    if (isThere(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('waited 20 s in vain');
}

describe('a start', () => {
  it('says where it listens, on standard output, and writes the ports once it does', async () => {
    await withServer(['--no-feed'], async (server, fresh) => {
      expect(JSON.parse(readFileSync(join(fresh, 'ports.json'), 'utf8'))).toEqual({ http: server.port });
      await waitFor(
        async () => server.stdout(),
        (text) => text.includes('page'),
      );
      expect(server.stdout()).toMatch(new RegExp(`^http +listening on port ${server.port}$`, 'm'));
      expect(server.stdout()).toMatch(new RegExp(`^page +http://127.0.0.1:${server.port}/$`, 'm'));
      expect(server.stdout()).not.toContain('SIMULATED');
      expect(await getJson(`${server.url}/healthz`)).toEqual({ status: 'ok' });
      expect((await getJson<Status>(`${server.url}/api/v1/status`)).feeds).toEqual([]);
    });
  });

  it('without a key runs the simulator, marked as such everywhere', async () => {
    await withServer([], async (server) => {
      const status = () => getJson<Status>(`${server.url}/api/v1/status`);
      const { simulated, feeds } = await waitFor(status, ({ database }) => database.rowsWritten > 20);
      expect(simulated).toBe(true);
      expect(feeds).toMatchObject([{ name: 'simulator', state: 'connected', simulated: true }]);
      expect(server.stdout()).toContain('SIMULATED');
      expect(server.stderr()).toContain('SIMULATED');
      const url = `${server.url}/api/v1/bars?table=stocks_real_time&timeframe=1s&symbol=AAPL`;
      await waitFor(
        () => getJson<{ rows: unknown[] }>(url),
        ({ rows }) => rows?.length > 0,
      );
    });
  });

  it('reads its settings from a file, and the environment before that', async () => {
    const fresh = freshFolder();
    writeFileSync(
      join(fresh, 'candela.yml'),
      'simulator: { enabled: false }\nlogLevel: debug\ndurability: none\n',
    );
    const server = await startCandela(fresh, [], { env: { CANDELA_LOG_LEVEL: 'silent' } });
    expect((await getJson<Status>(`${server.url}/api/v1/status`)).feeds).toEqual([]);
    expect(await server.end('SIGTERM')).toBe(0);
    expect(server.stderr()).toBe('');
  });

  it.skipIf(isMissing('openssl', certificate !== null))(
    'lets in only users where there are any, over TLS with a certificate',
    async () => {
      const fresh = freshFolder();
      const { certFile, keyFile } = certificate ?? { certFile: '', keyFile: '' };
      const { stdout: hash } = await mustRunCandela(['hash-password'], { input: 'open sesame\n' });
      const { stdout: made } = await mustRunCandela(['token']);
      const [, token, tokenHash] = /token: (\S+)\nhash: +(\S+)/.exec(made) ?? [];
      const users = [
        { name: 'desk', role: 'admin', passwordHash: hash.trim() },
        { name: 'board', role: 'read', tokens: [tokenHash] },
      ];
      const config = { users, tls: { certFile, keyFile }, host: '0.0.0.0' };
      writeFileSync(join(fresh, 'candela.yml'), JSON.stringify(config));
      const server = await startCandela(fresh, ['--no-feed']);
      const env = { NODE_EXTRA_CA_CERTS: certFile };
      const base = `127.0.0.1:${server.port}`;
      const sql = (url: string, ...more: string[]) =>
        runCandela(['sql', '--url', url, '-c', 'SELECT 1 AS one', '--format', 'csv', ...more], { env });
      expect(await sql(`https://desk:open%20sesame@${base}`)).toMatchObject({ code: 0, stdout: 'one\n1\n' });
      expect(await sql(`https://${base}`, '--token', token ?? '')).toMatchObject({
        code: 0,
        stdout: 'one\n1\n',
      });
      expect((await sql(`https://${base}`)).stderr).toContain('error: this server asks for a user');
      expect((await sql(`https://desk:wrong@${base}`)).stderr).toContain('error: wrong user name');
      expect((await sql(`http://${base}`)).code).toBe(1);
      expect(server.stdout()).toContain('https://localhost:');
      await server.end('SIGTERM');
    },
  );
});

describe('a start is refused', () => {
  const refusal = (args: readonly string[], cwd = freshFolder()) =>
    runCandela(['start', '--http-port', '0', '--no-feed', ...args], { cwd });

  it('beyond loopback without users', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1']) {
      const { code, stderr, stdout } = await refusal(['--host', host]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/error: .*no users are configured/);
      expect(stdout).toBe('');
    }
  });

  it('with a setting nobody knows, naming its line', async () => {
    const fresh = freshFolder();
    writeFileSync(join(fresh, 'candela.yml'), '# settings\nhttpport: 1\n');
    const { code, stderr } = await refusal([], fresh);
    expect(code).toBe(1);
    expect(stderr).toContain("error: candela.yml:2: unknown setting 'httpport'");
    expect(stderr).toContain('help: Known here:');
  });

  it('on a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await refusal(['--http-port', String(port)]);
    other.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`${port} is in use`);
  });

  it('on a data directory that is open elsewhere', async () => {
    await withServer(['--no-feed'], async (_server, fresh) => {
      const { code, stderr } = await refusal(['--data', join(fresh, 'data')]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/error: another process.*\n.*help: Stop the other process/s);
    });
  });

  it('with half a certificate', async () => {
    const { code, stderr } = await refusal(['--tls-cert-file', 'cert.pem']);
    expect(code).toBe(1);
    expect(stderr).toContain('keyFile is missing');
  });
});

describe('a signal', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s flushes and exits 0; what was written is there again',
    async (signal) => {
      const fresh = freshFolder();
      const first = await startCandela(fresh, ['--no-feed', '--durability', 'none']);
      const body = 'time,symbol,price\n1,A,1.5\n2,A,2.5\n';
      writeFileSync(join(fresh, 'rows.csv'), body);
      await mustRunCandela(['import', 'rows.csv', '--table', 't', '--create', '--url', first.url], {
        cwd: fresh,
      });
      expect(await first.end(signal)).toBe(0);
      const second = await startCandela(fresh, ['--no-feed']);
      const { stdout } = await mustRunCandela([
        'sql',
        '--url',
        second.url,
        '--format',
        'csv',
        '-c',
        'SELECT sum(price) AS s FROM t',
      ]);
      expect(stdout).toBe('s\n4\n');
      await second.end('SIGTERM');
    },
  );
});
