import { toCandelaError } from '../../core/errors.ts';
import type { FeedStatus } from '../../market/feed-status.ts';
import type { Feed, FeedContext, FeedPlugin } from '../feed.ts';
import { readOptions } from '../options.ts';
import type { ReplaySpeed } from './pacer.ts';
import { type ReplayOptions, type ReplayProgress, replayFile } from './replay.ts';

/** Feed kind `replay`: a recorded file as if it came in live. Options: `file`, and those of {@link ReplayOptions}. */
export const replayPlugin: FeedPlugin = {
  kind: 'replay',
  create(name: string, options: Record<string, unknown>, context: FeedContext): Feed {
    const read = readOptions(options);
    const file = read.optionalText('file');
    if (file === undefined) throw read.bad('file', 'the path of a recorded file');
    const speed = read.raw('speed') ?? 1;
    if (speed !== 'max' && !(typeof speed === 'number' && speed > 0 && speed <= 1e6)) {
      throw read.bad('speed', '"max" or a number such as 1 or 10');
    }
    const texts = ['table', 'symbol', 'date', 'format'] as const;
    const given = texts.map((option) => [option, read.optionalText(option)] as const);
    const timeframes = read.optionalTexts('timeframes');
    read.done();
    return new ReplayFeed(name, context, {
      file,
      speed: speed as ReplaySpeed,
      ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
      ...(timeframes ? { timeframes } : {}),
    });
  },
};

class ReplayFeed implements Feed {
  readonly #name: string;
  readonly #context: FeedContext;
  readonly #options: ReplayOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #state: FeedStatus['state'] = 'stopped';
  #progress: ReplayProgress | undefined;
  #lastEventMs: number | null = null;
  #failure: string | null = null;

  constructor(name: string, context: FeedContext, options: ReplayOptions) {
    this.#name = name;
    this.#context = context;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#state = 'connected';
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    if (this.#state === 'connected') this.#state = 'stopped';
  }

  status(): FeedStatus {
    const progress = this.#progress;
    return {
      name: this.#name,
      kind: 'replay',
      simulated: false,
      state: this.#state,
      table: progress?.tables[0] ?? this.#options.table ?? '',
      symbols: progress?.symbols ?? [],
      failedSymbols: [],
      rowsReceived: progress?.rowsReceived ?? 0,
      rowsWritten: progress?.rowsWritten ?? 0,
      rowsRejected: progress?.rowsRejected ?? 0,
      reconnects: 0,
      lastEventMs: this.#lastEventMs,
      lastError: this.#failure ?? progress?.lastError ?? null,
    };
  }

  async #run(): Promise<void> {
    const { log, clock } = this.#context;
    try {
      const report = await replayFile(this.#context, {
        ...this.#options,
        signal: this.#stopping.signal,
        onProgress: (progress) => {
          this.#progress = progress;
          this.#lastEventMs = clock.nowMs();
        },
      });
      const { symbols, ...fields } = report;
      log.info({ file: this.#options.file, ...fields }, `replayed ${report.rowsWritten} rows`);
      if (report.complete) this.#state = 'finished';
    } catch (thrown) {
      const error = toCandelaError(thrown);
      this.#state = 'failed';
      this.#failure = error.message;
      log.error({ err: error, help: error.help }, `replay failed: ${error.message}`);
    }
  }
}
