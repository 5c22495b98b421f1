/** Reads a configuration file (YAML) into located settings. */
import { basename, dirname } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import { badSetting, type Setting } from './setting.ts';

/** The file's text as a {@link Setting} tree; an empty file is an empty mapping. `INVALID_CONFIG` names the line. */
export function parseConfigFile(file: string, text: string): Setting {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [error] = document.errors;
  if (error) {
    throw badSetting(`${basename(file)}:${lines.linePos(error.pos[0]).line}`, firstLine(error.message));
  }
  const whereOf = (offset: number) => `${basename(file)}:${lines.linePos(offset).line}`;
  const directory = dirname(file);

  const locate = (node: Node | null, path: string, offset: number): Setting => {
    const where = whereOf(node?.range?.[0] ?? offset);
    const base = { where, directory, path };
    if (isMap(node)) {
      const entries = new Map(node.items.map((pair) => entryOf(pair as Pair<Node, Node | null>, path)));
      return { ...base, raw: node.toJS(document), entries };
    }
    if (isSeq(node)) {
      const items = node.items.map((item, index) => locate(item as Node, `${path}[${index}]`, offset));
      return { ...base, raw: node.toJS(document), items };
    }
    return { ...base, raw: isScalar(node) ? node.value : (node?.toJS(document) ?? null) };
  };

  const entryOf = (pair: Pair<Node, Node | null>, parent: string): [string, Setting] => {
    const name = String(isScalar(pair.key) ? pair.key.value : pair.key);
    const offset = pair.key.range?.[0] ?? 0;
    const entry = locate(pair.value, parent === '' ? name : `${parent}.${name}`, offset);
    // The key's line is the one a person looks for, also when the value begins on a later one.
    return [name, { ...entry, where: whereOf(offset) }];
  };

  if (document.contents === null)
    return { where: whereOf(0), directory, path: '', raw: {}, entries: new Map() };
  return locate(document.contents as Node, '', 0);
}

function firstLine(message: string): string {
  return message.split('\n')[0].replace(/ at line \d+, column \d+:?$/, '');
}
