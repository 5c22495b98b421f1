/** The settings table for people: docs/config.md's table and the commented file of `candela init`. */
import { type OptionDef, optionRows } from './options.ts';

/** The Markdown table of docs/config.md. */
export function optionsMarkdown(): string {
  const head = ['file', 'flag', 'environment', 'default', 'meaning'];
  const rows = optionRows().map(([, option]) => [
    code(option.key),
    code(option.flag),
    code(option.env),
    code(option.default),
    option.help.replaceAll('|', '\\|'),
  ]);
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

/** A configuration file with every setting explained and commented out, so that as it stands it changes nothing. */
export function sampleConfigFile(): string {
  const lines = ['# Candela settings. A flag or an environment variable wins over a line here.', ''];
  let group = '';
  for (const [, option] of optionRows()) {
    if (option.key === null) continue;
    const [first, member] = option.key.split('.');
    lines.push(...wrap(option.help).map((line) => `# ${line}`));
    if (!member) lines.push(...plainLines(first, option), '');
    else {
      // A group's name is written once; its members follow, indented.
      if (first !== group) lines.push(`#${first}:`);
      lines.push(`#  ${member}: ${option.default ?? ''}`.trimEnd(), '');
      group = first;
    }
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

const examples: Record<string, string[]> = {
  users: [
    '#  - name: desk',
    '#    role: write',
    '#    passwordHash: scrypt$...',
    '#    tokens: [sha256$...]',
  ],
  feeds: [
    '#  - name: stocks',
    '#    kind: twelvedata',
    '#    options: { symbols: [AAPL, MSFT] }',
    '#  - name: mine',
    '#    module: ./my-feed.js',
  ],
};

function plainLines(key: string, option: OptionDef): string[] {
  return [`#${key}: ${option.default ?? ''}`.trimEnd(), ...(examples[key] ?? [])];
}

function code(text: string | null): string {
  return text === null ? '' : `\`${text}\``;
}

function wrap(text: string): string[] {
  return text.match(/.{1,100}(?:\s|$)/g)?.map((line) => line.trim()) ?? [text];
}
