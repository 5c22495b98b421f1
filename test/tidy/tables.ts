/**
 * What the tidy test holds the tree to. Change a table together with the decision behind it: an architecture
 * decision record for the import table, a line of reason here for a door or a ratchet.
 */

/**
 * Which folder of src/ may import which. Anything not listed is refused, type-only imports too. A folder may
 * always import itself. `protocols/*` stands for each protocol by itself: no protocol may import another.
 */
export const allowedImports: Readonly<Record<string, readonly string[]>> = {
  core: [],
  market: ['core'],
  storage: ['core', 'market'],
  engine: ['core', 'market', 'storage'],
  sql: ['core', 'market', 'engine'],
  // Batches to and from JSON, CSV and Arrow: what several protocols and the command line share, without the engine.
  codecs: ['core', 'market'],
  net: ['core'],
  'protocols/*': ['core', 'market', 'codecs', 'net', 'sql', 'engine'],
  feeds: ['core', 'market', 'codecs', 'engine'],
  server: ['core', 'market', 'codecs', 'storage', 'engine', 'sql', 'net', 'protocols/*', 'feeds'],
  cli: [
    'core',
    'market',
    'codecs',
    'storage',
    'engine',
    'sql',
    'net',
    'protocols/*',
    'feeds',
    'server',
    'client',
    'index',
  ],
  // The engine's surface spoken over HTTP: its types only, and those of the wire.
  client: ['core', 'market', 'codecs', 'engine', 'protocols/*'],
  testing: ['core', 'market', 'storage', 'engine'],
  index: ['core', 'market', 'storage', 'engine', 'sql'],
};

/** The one file of src/ that web/ may see, and only its types. It imports types only itself. */
export const wireFile = 'src/protocols/http/wire.ts';

/**
 * Which shipped files may import which npm package or Node module: a heavy or replaceable library stays behind
 * one door. An entry ending in `/` is a folder, one ending in `.ts` a file, anything else the beginning of a path.
 * Every production dependency must be listed; a Node module that is not listed is free to use.
 */
export const packageDoors: Readonly<Record<string, readonly string[]>> = {
  // The store; import and export read and write Parquet with it without opening a database of ours.
  '@duckdb/node-api': ['src/storage/duckdb/', 'src/cli/parquet/'],
  '@duckdb/node-bindings': ['src/storage/duckdb/'],
  '@node-rs/crc32': ['src/core/', 'src/engine/wal/'],
  // Arrow is a wire and file format here, never the batch inside the process.
  'apache-arrow': ['src/codecs/', 'src/protocols/http/', 'src/cli/'],
  ws: ['src/net/', 'src/protocols/', 'src/feeds/'],
  // Other front ends mount on net/'s HTTP server and do not see the framework.
  fastify: ['src/net/', 'src/protocols/http/'],
  '@fastify/static': ['src/net/', 'src/protocols/http/'],
  '@fastify/swagger': ['src/net/', 'src/protocols/http/'],
  pino: ['src/core/log.ts'],
  'prom-client': ['src/protocols/http/metrics.ts'],
  yaml: ['src/server/', 'src/cli/'],
  commander: ['src/cli/'],
  'cli-progress': ['src/cli/'],
  'csv-parse': ['src/codecs/', 'src/cli/', 'src/feeds/replay/'],
  yauzl: ['src/cli/', 'src/feeds/replay/'],
  'lightweight-charts': ['web/'],
  vite: ['web/vite.config.ts'],
  // The disk: one door, so that crash tests can put a failing disk behind it. The command line, the server's
  // settings and the replay feed deal with files their user names, outside the data directory.
  'node:fs': [
    'src/core/file-system.ts',
    'src/cli/',
    'src/server/',
    'src/feeds/replay/',
    'web/vite.config.ts',
  ],
  // The clock, see `doors`.
  'node:perf_hooks': ['src/core/clock.ts'],
};

/** A global whose use is confined to a few files, and the reason that a failure prints. */
export interface Door {
  /** `name` or `object.property`. */
  readonly name: string;
  /** As in {@link packageDoors}. */
  readonly allowed: readonly string[];
  readonly instead: string;
}

const clockReason = 'take a Clock (src/core/clock.ts), so that tests decide what time it is';

/** Globals confined to a few files. `new Date()` without arguments counts as `Date.now`. Test files are free. */
export const doors: readonly Door[] = [
  // A browser page has no simulated clock; the replay of a market in it is driven by the server's times.
  { name: 'Date.now', allowed: ['src/core/clock.ts', 'web/'], instead: clockReason },
  { name: 'performance.now', allowed: ['src/core/clock.ts', 'web/'], instead: clockReason },
  { name: 'process.hrtime', allowed: ['src/core/clock.ts'], instead: clockReason },
  {
    name: 'Math.random',
    allowed: ['src/core/prng.ts'],
    instead: 'take a Prng (src/core/prng.ts), so that a failing run can be repeated from its seed',
  },
  {
    name: 'console',
    allowed: ['src/cli/'],
    instead: 'take a Logger (src/core/log.ts), or return the text to the command line',
  },
  {
    name: 'process.exit',
    allowed: ['src/cli/'],
    instead: 'throw, or close what is open: only the command line may end the process',
  },
];

/** Longest line of TypeScript, in characters. The formatter aims at 110; comments and strings may reach this. */
export const lineLengthMax = 120;

/** Longest file that ships, in lines. */
export const fileLinesMax = 500;

/** Longest function that ships, in lines, callbacks counted with the function they stand in. */
export const functionLinesMax = 70;

/**
 * Functions that were longer when the rule came, `path:name` → lines. They may shrink, never grow; an entry goes
 * when its function fits. Do not add to this list: split the function.
 */
export const functionLinesRatchet: Readonly<Record<string, number>> = {};
