/** The tutorial's own client, Twelve Data's Python package, against the simulator. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { type SimulatorOptions, startSimulator } from '../../src/feeds/simulator/simulator.ts';
import { pythonWith } from '../support/python.ts';
import { waitUntil } from '../support/wait-until.ts';

/** The script of the tutorial; only the addresses, the length of the waits and the output as JSON differ. */
const script = `
import json, sys, time
from twelvedata import TDClient

messages_history = []

def on_event(event):
    print(json.dumps(event), flush=True)
    messages_history.append(event)

td = TDClient(apikey=sys.argv[2], base_url=sys.argv[1].replace("ws:", "http:").replace("/v1/quotes/price", ""))
ws = td.websocket(symbols=["BTC/USD", "ETH/USD"], on_event=on_event)
ws.url = sys.argv[1] + "?apikey=" + sys.argv[2]
ws.subscribe(['ETH/BTC', 'AAPL'])
ws.connect()
while True:
    print('messages received: ', len(messages_history), flush=True)
    ws.heartbeat()
    time.sleep(0.5)
`;

let python = '';
const closing: (() => unknown)[] = [];

beforeAll(() => {
  python = pythonWith('twelvedata', ['twelvedata==1.4.0', 'websocket-client==1.9.2']);
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Event = Record<string, unknown>;

async function run(options: SimulatorOptions, apiKey: string) {
  const simulator = await startSimulator({ rate: 20, ...options });
  closing.push(() => simulator.close());
  const child: ChildProcess = spawn(python, ['-c', script, simulator.url, apiKey]);
  closing.push(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  const output = { events: [] as Event[], counts: [] as string[], log: '' };
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('{')) output.events.push(JSON.parse(line) as Event);
      else output.counts.push(line);
    }
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.log += text;
  });
  const named = (name: string): Event[] => output.events.filter(({ event }) => event === name);
  return { simulator, output, named };
}

it('runs the script of the tutorial', async () => {
  const { output, named } = await run({}, 'demo');
  await waitUntil(() => named('price').length > 100 && named('heartbeat').length > 0, 'prices', 30_000);
  const [status] = named('subscribe-status');
  expect(status).toMatchObject({ status: 'ok', fails: null });
  expect((status.success as Event[]).map(({ symbol }) => symbol).sort()).toEqual([
    'AAPL',
    'BTC/USD',
    'ETH/BTC',
    'ETH/USD',
  ]);
  const symbols = new Set(named('price').map(({ symbol }) => symbol));
  expect([...symbols].sort()).toEqual(['AAPL', 'BTC/USD', 'ETH/BTC', 'ETH/USD']);
  expect(named('heartbeat')[0]).toEqual({ event: 'heartbeat', status: 'ok' });
  expect(output.counts[0]).toBe('messages received:  0');
  // Nothing the package complained about.
  expect(output.log).not.toContain('ERROR');
});

it('shows a wrong key the way the tutorial describes', async () => {
  const { output } = await run({ apiKey: 'right' }, 'wrong');
  await waitUntil(() => output.log.includes('Handshake status 200 OK'), 'the error', 30_000);
  expect(output.log).toContain('ws-twelvedata - ERROR - TDWebSocket ERROR: Handshake status 200 OK');
  expect(output.events).toEqual([]);
});

it('lets the package reconnect after a broken connection', async () => {
  const { simulator, named } = await run({}, 'demo');
  await waitUntil(() => named('price').length > 10, 'prices', 30_000);
  simulator.drop('terminate');
  await waitUntil(() => named('subscribe-status').length > 1, 'a second subscription', 30_000);
  const before = named('price').length;
  await waitUntil(() => named('price').length > before + 10, 'prices again', 30_000);
});
