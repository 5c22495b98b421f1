import { describe, expect, it } from 'vitest';
import { CandelaError } from '../core/errors.ts';
import { type ConfigSources, resolveConfig } from './config.ts';
import { sampleConfigFile } from './option-docs.ts';

function sources(given: Partial<ConfigSources> & { file?: string } = {}): ConfigSources {
  const { file, ...rest } = given;
  return {
    flags: {},
    env: {},
    readText: (path) => (path.endsWith('/candela.yml') ? file : undefined),
    ...rest,
  };
}

async function refusal(given: Parameters<typeof sources>[0]): Promise<CandelaError> {
  const error: unknown = await resolveConfig(sources(given)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof CandelaError) return error;
  throw new Error('the configuration was accepted');
}

describe('where a setting comes from', () => {
  it('is the default when nobody sets it', async () => {
    const config = await resolveConfig(sources());
    // DESIGN, "Defaults a user meets".
    expect(config).toMatchObject({
      data: './data',
      host: '127.0.0.1',
      httpPort: 20330,
      durability: 'always',
    });
    expect(config).toMatchObject({
      users: null,
      feeds: null,
      tlsCertFile: null,
      feed: true,
      simulator: true,
    });
  });

  it('is the file before the default, the environment before the file, the flag before the environment', async () => {
    const file = 'httpPort: 1\nhost: a\ndata: d\n';
    const env = { CANDELA_HTTP_PORT: '2', CANDELA_HOST: 'b' };
    const config = await resolveConfig(sources({ file, env, flags: { httpPort: '3' } }));
    expect(config.httpPort).toBe(3);
    expect(config.host).toBe('b');
    expect(config.data).toBe(`${process.cwd()}/d`);
    expect(config.durability).toBe('always');
  });

  it('treats an empty variable and an empty line of the file as unset', async () => {
    const config = await resolveConfig(sources({ file: 'host:\ntls:\n', env: { CANDELA_HTTP_PORT: '' } }));
    expect(config).toMatchObject({ host: '127.0.0.1', httpPort: 20330, tlsCertFile: null });
  });

  it('lets in pages of other sites by their origin', async () => {
    const flags = { allowedOrigins: 'https://a.example, http://localhost:8080' };
    expect((await resolveConfig(sources({ flags }))).allowedOrigins).toEqual([
      'https://a.example',
      'http://localhost:8080',
    ]);
    const { message } = await refusal({ file: 'allowedOrigins: [https://a.example/page]' });
    expect(message).toMatch(/candela\.yml:1.*is not an origin such as/);
    expect((await refusal({ env: { CANDELA_ALLOWED_ORIGINS: '*' } })).message).toContain(
      'CANDELA_ALLOWED_ORIGINS',
    );
  });

  it.each(['12', '15MiB', '0'])('refuses a memory budget of %s', async (memoryBudget) => {
    const { message } = await refusal({ flags: { memoryBudget } });
    expect(message).toBe(`--memory-budget: '${memoryBudget}' is too little: at least 16MiB are needed`);
  });

  it('reads a negated flag as false', async () => {
    expect((await resolveConfig(sources({ flags: { simulator: false } }))).simulator).toBe(false);
    expect((await resolveConfig(sources({ file: 'simulator: { enabled: no }' }))).simulator).toBe(false);
  });
});

describe('a configuration file', () => {
  it('holds users, feeds and TLS, its paths counting from where it lies', async () => {
    const file = [
      'memoryBudget: 256MiB',
      'users:',
      '  - name: desk',
      '    role: write',
      '    tokens: [sha256$abc]',
      'tls: { certFile: tls/cert.pem, keyFile: /etc/key.pem }',
      'feeds:',
      '  - { name: stocks, kind: twelvedata, options: { symbols: [AAPL], rowsMax: 10 } }',
      '  - { name: mine, module: ./my-feed.js }',
      '  - { name: theirs, module: some-package }',
    ].join('\n');
    const readText = (path: string) => (path === '/etc/candela/desk.yml' ? file : undefined);
    const config = await resolveConfig(sources({ flags: { config: '/etc/candela/desk.yml' }, readText }));
    expect(config.memoryBudget).toBe(268_435_456);
    expect(config.users).toEqual([{ name: 'desk', role: 'write', tokens: ['sha256$abc'] }]);
    expect(config.tlsCertFile).toBe('/etc/candela/tls/cert.pem');
    expect(config.tlsKeyFile).toBe('/etc/key.pem');
    expect(config.feeds).toEqual([
      { name: 'stocks', kind: 'twelvedata', options: { symbols: ['AAPL'], rowsMax: 10 } },
      { name: 'mine', module: '/etc/candela/my-feed.js', options: {} },
      { name: 'theirs', module: 'some-package', options: {} },
    ]);
  });

  it('as init writes it changes nothing, and uncommented spells out the defaults', async () => {
    const defaults = await resolveConfig(sources());
    expect(await resolveConfig(sources({ file: sampleConfigFile() }))).toEqual(defaults);
    const file = sampleConfigFile()
      .split('\n')
      .filter((line) => /^#( {2})?\w+:/.test(line))
      .map((line) => line.slice(1))
      .join('\n');
    expect({ ...(await resolveConfig(sources({ file }))), data: './data' }).toEqual(defaults);
  });

  it.each([
    ['an unknown setting', 'host: x\nhtpPort: 1\n', "candela.yml:2: unknown setting 'htpPort'"],
    ['an unknown member', 'tls:\n  certFile: a\n  cert: b\n', "candela.yml:3: unknown setting 'tls.cert'"],
    ['a bad number', '\nhttpPort: 70000\n', "candela.yml:2: 'httpPort': '70000' is not a whole number"],
    ['a bad choice', 'durability: maybe\n', "'maybe' is none of always, interval, none"],
    [
      'a user without a role',
      'users:\n  - name: a\n    tokens: []\n',
      "candela.yml:2: 'users[0]' needs 'role'",
    ],
    ['an unknown field of a user', 'users:\n  - name: a\n    rol: admin\n', "unknown setting 'users[0].rol'"],
    ['a feed of no kind', 'feeds:\n  - name: a\n', "'feeds[0]' needs either 'kind' or 'module'"],
    ['two feeds of one name', 'feeds: [{name: a, kind: x}, {name: a, kind: y}]', "names two feeds 'a'"],
    ['a key given twice', 'host: a\nhost: b\n', 'candela.yml:2: Map keys must be unique'],
    ['broken YAML', 'host: [a\n', 'candela.yml:2: '],
    ['something else than a mapping', '- a\n', 'candela.yml:1: must be a mapping'],
  ])('is refused for %s, with the line', async (_what, file, message) => {
    const error = await refusal({ file });
    expect(error.code).toBe('INVALID_CONFIG');
    expect(error.message).toContain(message);
  });

  it('must exist when it was asked for', async () => {
    expect((await refusal({ flags: { config: 'nowhere.yml' } })).code).toBe('FILE_NOT_FOUND');
  });
});

describe('errors elsewhere', () => {
  it('name the flag', async () => {
    expect((await refusal({ flags: { httpPort: 'x' } })).message).toContain(
      "--http-port: 'x' is not a whole",
    );
  });

  it('name the variable', async () => {
    const error = await refusal({ env: { CANDELA_MEMORY_BUDGET: 'lots' } });
    expect(error.message).toContain("CANDELA_MEMORY_BUDGET: 'lots' is not a size");
  });
});
