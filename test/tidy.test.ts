/** Holds the whole tree to the style rules. Each rule is proven on small sources in tidy/tidy-rules.test.ts. */
import { expect, it } from 'vitest';
import {
  checkDeadCode,
  checkDocComments,
  checkDoors,
  checkFunctionLength,
  checkSwitchedOff,
} from './tidy/code-rules.ts';
import { checkCycles, checkLayers, checkPackages } from './tidy/import-rules.ts';
import { readRepository, trackedPaths } from './tidy/repository.ts';
import { formatFinding } from './tidy/source-file.ts';
import {
  checkBannedText,
  checkFileLength,
  checkFileNames,
  checkLineLength,
  checkLinks,
} from './tidy/text-rules.ts';

const files = readRepository();

it.each([
  ['imports follow the table', checkLayers],
  ['packages stay behind their doors', checkPackages],
  ['no import cycles', checkCycles],
  ['exported symbols are documented', checkDocComments],
  ['functions fit a screen', checkFunctionLength],
  ['clock, chance, console and exit stay behind their doors', checkDoors],
  ['no test is switched off, no compiler error silenced', checkSwitchedOff],
  ['no commented-out code', checkDeadCode],
  ['lines are short', checkLineLength],
  ['files are short', checkFileLength],
  ['file names are kebab-case', checkFileNames],
  ['no notes to self, machine paths or registry hosts', checkBannedText],
] as const)('%s', (_name, check) => {
  expect(check(files).map(formatFinding)).toEqual([]);
});

it('links lead somewhere', () => {
  expect(checkLinks(files, trackedPaths()).map(formatFinding)).toEqual([]);
});
