/** The bar at the bottom: connection, feeds, what the engine takes in, version; and the panel about the feeds. */
import type { WireStatus } from '../../src/protocols/http/wire.ts';
import type { ConnectionState } from '../api-client/live-socket.ts';
import { type FeedLine, feedLines, ingestFigures, type Tone } from '../model/status-text.ts';
import { byId, make, setText } from './dom.ts';

/** Writes where the connection stands. */
export function showConnection(state: ConnectionState): void {
  const root = byId('connection');
  const [tone, text] = connectionText(state);
  root.dataset.tone = tone;
  setText(byId('connection-text'), text);
}

function connectionText(state: ConnectionState): [Tone, string] {
  if (state.name === 'open') return ['good', 'Live'];
  if (state.name === 'connecting') return ['busy', 'Connecting…'];
  return ['bad', `No connection, next try in ${(state.delayMs / 1000).toFixed(1)} s`];
}

/** The status bar; feed it each status as it comes. */
export function createStatusView(): (status: WireStatus) => void {
  let before: WireStatus | null = null;
  return (status) => {
    const lines = feedLines(before, status);
    before = status;
    byId('simulated').hidden = !status.simulated;
    setText(byId('version'), `Candela ${status.version}`);
    showFeeds(lines);
    const figures = ingestFigures(status).map(([label, value, title]) => {
      const figure = make('span', 'figure', [make('i', '', label), make('b', '', value)]);
      figure.title = title;
      return figure;
    });
    byId('ingest').replaceChildren(...figures);
    const stopped = status.database.writesStopped;
    byId('alert').hidden = stopped === null;
    setText(byId('alert'), stopped === null ? '' : `Writes are stopped: ${stopped}`);
  };
}

function showFeeds(lines: readonly FeedLine[]): void {
  const chips = lines.map(({ name, state, tone, rate, refused }) => {
    const chip = make('span', 'feed', [
      make('b', '', name),
      make('span', '', rate ? `${state}, ${rate}` : state),
      ...(refused ? [make('span', 'feed-refused', refused)] : []),
    ]);
    chip.dataset.tone = tone;
    return chip;
  });
  byId('feeds').replaceChildren(...(chips.length > 0 ? chips : [make('span', 'feed-none', 'No feeds')]));
  byId('feeds-panel').replaceChildren(make('h2', '', 'Feeds'), ...panelOf(lines));
}

function panelOf(lines: readonly FeedLine[]): HTMLElement[] {
  if (lines.length === 0)
    return [make('p', '', 'No feed runs. Name one under “feeds” in candela.yml, or replay a file.')];
  return lines.map(({ name, state, tone, rate, details }) => {
    const title = make('h3', 'feed', [
      make('b', '', name),
      make('span', '', rate ? `${state}, ${rate}` : state),
    ]);
    title.dataset.tone = tone;
    const list = make(
      'dl',
      '',
      details.flatMap(([label, value]) => [make('dt', '', label), make('dd', '', value)]),
    );
    return make('section', '', [title, list]);
  });
}
