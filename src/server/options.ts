/**
 * The settings of a server: one table.
 *
 * Everything a user can set is a row here and nowhere else; the command line, the environment, the configuration
 * file, `candela start --help`, `candela init` and docs/config.md are all made from it. A flag wins over the
 * environment, the environment over the file, the file over the default.
 */
import type { OptionKind, OptionKinds } from './option-kinds.ts';

/** One setting. */
export interface OptionDef {
  /** As commander writes it, e.g. `--http-port <port>`; null when it cannot be given on the command line. */
  flag: string | null;
  /** Environment variable. */
  env: string | null;
  /** Place in the configuration file, e.g. `tls.certFile`. */
  key: string | null;
  kind: OptionKind;
  /** As text, parsed like any other source; null when unset means none. */
  default: string | null;
  help: string;
}

/** The settings by name; the name is the flag's in camel case. */
export const optionTable = {
  config: {
    flag: '--config <file>',
    env: 'CANDELA_CONFIG',
    key: null,
    kind: 'path',
    default: null,
    help: 'configuration file; without it candela.yml in the working directory is read where there is one',
  },
  data: {
    flag: '--data <directory>',
    env: 'CANDELA_DATA',
    key: 'data',
    kind: 'path',
    default: './data',
    help: 'data directory; made when missing',
  },
  backups: {
    flag: '--backups <directory>',
    env: 'CANDELA_BACKUPS',
    key: 'backups',
    kind: 'path',
    default: null,
    help: 'folder in which administrators may make backups over HTTP; without it they may not',
  },
  host: {
    flag: '--host <address>',
    env: 'CANDELA_HOST',
    key: 'host',
    kind: 'text',
    default: '127.0.0.1',
    help: 'address to listen on; any but a loopback one needs users configured',
  },
  httpPort: {
    flag: '--http-port <port>',
    env: 'CANDELA_HTTP_PORT',
    key: 'httpPort',
    kind: 'port',
    default: '20330',
    help: 'port of the page, the REST API, /ws, /metrics and /healthz; 0 takes a free one',
  },
  allowedOrigins: {
    flag: '--allowed-origins <list>',
    env: 'CANDELA_ALLOWED_ORIGINS',
    key: 'allowedOrigins',
    kind: 'origins',
    default: null,
    help: 'other sites whose pages may read /udf and connect to /ws, such as https://charts.example.com',
  },
  portsFile: {
    flag: '--ports-file <file>',
    env: 'CANDELA_PORTS_FILE',
    key: 'portsFile',
    kind: 'path',
    default: null,
    help: 'write the ports as one flat JSON object to this file once all listen',
  },
  durability: {
    flag: '--durability <level>',
    env: 'CANDELA_DURABILITY',
    key: 'durability',
    kind: 'durability',
    default: 'always',
    help: 'when a write is acknowledged: on disk (always), up to a second before that (interval), at once (none)',
  },
  memoryBudget: {
    flag: '--memory-budget <bytes>',
    env: 'CANDELA_MEMORY_BUDGET',
    key: 'memoryBudget',
    kind: 'memory',
    default: '256MiB',
    help: 'memory for newest rows, store and queries together, at least 16MiB; units KB, MB, GB, KiB, MiB, GiB',
  },
  logLevel: {
    flag: '--log-level <level>',
    env: 'CANDELA_LOG_LEVEL',
    key: 'logLevel',
    kind: 'logLevel',
    default: 'info',
    help: 'debug, info, warn, error or silent; the log goes to standard error',
  },
  feed: {
    flag: '--no-feed',
    env: 'CANDELA_FEED',
    key: null,
    kind: 'boolean',
    default: 'true',
    help: 'run no feed at all, neither the configured ones nor the simulator',
  },
  simulator: {
    flag: '--no-simulator',
    env: 'CANDELA_SIMULATOR',
    key: 'simulator.enabled',
    kind: 'boolean',
    default: 'true',
    help: 'do not run the exchange simulator when there is no other feed',
  },
  simulatorSeed: {
    flag: '--simulator-seed <number>',
    env: 'CANDELA_SIMULATOR_SEED',
    key: 'simulator.seed',
    kind: 'count',
    default: '1',
    help: "seed of the simulator's random walk",
  },
  simulatorRate: {
    flag: '--simulator-rate <number>',
    env: 'CANDELA_SIMULATOR_RATE',
    key: 'simulator.rate',
    kind: 'count',
    default: '5',
    help: 'ticks a second and symbol that the simulator makes, on average',
  },
  twelvedataApiKey: {
    flag: null,
    env: 'TWELVEDATA_API_KEY',
    key: 'twelvedata.apiKey',
    kind: 'text',
    default: null,
    help: 'key of a Twelve Data account; with it the feed connects to the real source',
  },
  twelvedataSymbols: {
    flag: null,
    env: 'TWELVEDATA_SYMBOLS',
    key: 'twelvedata.symbols',
    kind: 'texts',
    default: 'AAPL, MSFT, NVDA, AMZN, TSLA, BTC/USD, ETH/USD, EUR/USD',
    help: 'symbols the Twelve Data feed and the simulator start with',
  },
  tlsCertFile: {
    flag: '--tls-cert-file <file>',
    env: 'CANDELA_TLS_CERT_FILE',
    key: 'tls.certFile',
    kind: 'path',
    default: null,
    help: 'certificate chain (PEM); with it and its key every port speaks TLS',
  },
  tlsKeyFile: {
    flag: '--tls-key-file <file>',
    env: 'CANDELA_TLS_KEY_FILE',
    key: 'tls.keyFile',
    kind: 'path',
    default: null,
    help: 'private key (PEM) of the certificate',
  },
  users: {
    flag: null,
    env: null,
    key: 'users',
    kind: 'users',
    default: null,
    help: 'list of { name, passwordHash, role: read | write | admin, tokens }; see below',
  },
  feeds: {
    flag: null,
    env: null,
    key: 'feeds',
    kind: 'feeds',
    default: null,
    help: 'list of { name, kind or module, options }; a module is a file of your own that exports a feed',
  },
} as const satisfies Record<string, OptionDef>;

/** Name of a setting. */
export type OptionName = keyof typeof optionTable;

type ValueOf<O extends OptionDef> = O['default'] extends null
  ? OptionKinds[O['kind']] | null
  : OptionKinds[O['kind']];

/** Every setting, resolved: what {@link resolveConfig} returns and the server is started with. */
export type ServerConfig = { [N in OptionName]: ValueOf<(typeof optionTable)[N]> };

/** Rows of the table with their names, in order. */
export function optionRows(): [OptionName, OptionDef][] {
  return Object.entries(optionTable) as [OptionName, OptionDef][];
}
