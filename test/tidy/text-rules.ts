/** Rules about files as text. */
import { posix } from 'node:path';
import { type Finding, isShipped, isTypeScript, lineAt, type SourceFile } from './source-file.ts';
import { fileLinesMax, lineLengthMax } from './tables.ts';

/** Wants lines that fit two to a screen. A line with a web address may be longer: it cannot be broken. */
export function checkLineLength(files: readonly SourceFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files.filter(isTypeScript)) {
    for (const [index, line] of file.text.split('\n').entries()) {
      if (line.length <= lineLengthMax || line.includes('://')) continue;
      const message = `${line.length} characters, ${lineLengthMax} are allowed: break the line`;
      findings.push({ path: file.path, line: index + 1, message });
    }
  }
  return findings;
}

/** Wants files short enough to hold in mind. */
export function checkFileLength(files: readonly SourceFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const { path, text } of files.filter(isShipped)) {
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
    if (lines <= fileLinesMax) continue;
    const message = `${lines} lines, ${fileLinesMax} are allowed: split the file by job`;
    findings.push({ path, line: fileLinesMax, message });
  }
  return findings;
}

/** Wants file names in kebab case; a suffix such as `.test` or `.d` may follow. */
export function checkFileNames(files: readonly SourceFile[]): Finding[] {
  const bad = files.filter(
    (file) => isTypeScript(file) && !/^[a-z0-9-]+(\.[a-z]+)*\.ts$/.test(posix.basename(file.path)),
  );
  return bad.map(({ path }) => ({ path, line: 1, message: 'file name: write it in kebab-case' }));
}

interface BannedText {
  readonly pattern: RegExp;
  readonly message: string;
}

// Written so that no pattern matches its own source.
const bannedTexts: readonly BannedText[] = [
  { pattern: /\b(?:TO[D]O|FIXM[E])\b/g, message: 'note to self: do it now, or open an issue' },
  {
    pattern: /(?<![\w.~/-])\/(?:work|root)\/[\w.]/g,
    message: 'path of one machine: make it relative to the repository, or a setting',
  },
  {
    pattern: /\bregistry\.(?:npmjs|yarnpkg|npmmirror)\.|\b(?:pypi|pythonhosted)\.org\b|\bdeb\.debian\.org\b/g,
    message: "host of a package registry: leave the choice to the client's own settings",
  },
  {
    pattern: /^\s*(?:"resolved"\s*:\s*"http|(?:@[\w-]+:)?registry\s*=)/gm,
    message:
      'host of a package registry: keep omit-lockfile-registry-resolved in .npmrc and run npm install again',
  },
];

/** Refuses notes to self, paths of one machine and hosts of package registries, in every text file. */
export function checkBannedText(files: readonly SourceFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const { path, text } of files) {
    for (const { pattern, message } of bannedTexts) {
      for (const match of text.matchAll(pattern)) {
        findings.push({
          path,
          line: lineAt(text, match.index),
          message: `'${match[0].trim()}' is a ${message}`,
        });
      }
    }
  }
  return findings;
}

/**
 * Wants every link of a Markdown page to a file or folder of the repository to lead somewhere. `others` are files
 * that are not text, such as pictures.
 */
export function checkLinks(files: readonly SourceFile[], others: readonly string[] = []): Finding[] {
  const known = new Set<string>();
  for (const path of [...files.map((file) => file.path), ...others]) {
    for (let at = path; at !== '.'; at = posix.dirname(at)) known.add(at);
  }
  const findings: Finding[] = [];
  for (const { path, text } of files.filter((file) => file.path.endsWith('.md'))) {
    for (const { target, line } of linksIn(text)) {
      const resolved = posix
        .join(target.startsWith('/') ? '.' : posix.dirname(path), target)
        .replace(/\/$/, '');
      if (resolved === '.' || known.has(resolved)) continue;
      findings.push({ path, line, message: `link to ${target}: there is no ${resolved}; mend the link` });
    }
  }
  return findings;
}

/** Links to files in a page: inline, image and reference links, without code, web addresses and bare anchors. */
function linksIn(text: string): { target: string; line: number }[] {
  const blank = (code: string): string => code.replace(/[^\n]/g, ' ');
  const prose = text.replace(/^(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1/gm, blank).replace(/`[^`\n]*`/g, blank);
  const links = [...prose.matchAll(/\]\(<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*<?([^\s>]+)/gm)];
  return links.flatMap((match) => {
    const [target = ''] = (match[1] ?? match[2] ?? '').split('#');
    if (target === '' || /^[a-z][a-z+.-]*:/i.test(target)) return [];
    return [{ target: decodeURI(target), line: lineAt(text, match.index) }];
  });
}
