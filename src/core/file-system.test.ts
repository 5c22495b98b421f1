import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeFileSystem as fileSystem } from './file-system.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'candela-fs-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe("the machine's file system", () => {
  it('writes chunks in order at a position, more of them than one system call takes', async () => {
    const path = join(directory, 'a');
    const file = await fileSystem.open(path, 'create');
    const chunks = Array.from({ length: 5000 }, (_, i) => Uint8Array.of(i, i >> 8, 7));
    chunks.splice(10, 0, new Uint8Array(0));
    await file.write([Uint8Array.of(1, 2, 3)], 0);
    await file.write(chunks, 2);
    await file.sync();
    expect(await file.size()).toBe(15_002);
    await file.close();
    expect(new Uint8Array(await readFile(path))).toEqual(
      new Uint8Array(Buffer.concat([Uint8Array.of(1, 2), ...chunks])),
    );
  });

  it('reads up to the end of the file into memory of its own', async () => {
    const path = join(directory, 'a');
    await writeFile(path, 'candela');
    const file = await fileSystem.open(path, 'existing');
    const bytes = await file.read(3, 100);
    expect(Buffer.from(bytes).toString()).toBe('dela');
    expect(bytes.byteOffset).toBe(0);
    expect(await file.read(100, 8)).toHaveLength(0);
    await file.truncate(4);
    expect(await file.size()).toBe(4);
    await file.close();
  });

  it('makes a file anew, or refuses one that is not there', async () => {
    const path = join(directory, 'a');
    await writeFile(path, 'old');
    const file = await fileSystem.open(path, 'create');
    expect(await file.size()).toBe(0);
    await file.close();
    await expect(fileSystem.open(join(directory, 'b'), 'existing')).rejects.toThrow('ENOENT');
  });

  it.skipIf(process.platform !== 'linux')('says where there can be no directory', async () => {
    await writeFile(join(directory, 'file'), '');
    for (const path of ['/proc/x', '/proc/x/y', join(directory, 'file'), join(directory, 'file', 'x')]) {
      await expect(fileSystem.makeDirectory(path)).rejects.toThrow(`there can be no directory ${path}: `);
    }
  });

  it('makes directories with their parents, lists and removes', async () => {
    const nested = join(directory, 'x/y/z');
    expect(await fileSystem.list(nested)).toEqual([]);
    await fileSystem.makeDirectory(nested);
    await fileSystem.makeDirectory(nested);
    await writeFile(join(nested, 'a'), '');
    expect(await fileSystem.list(nested)).toEqual(['a']);
    await fileSystem.remove(join(nested, 'a'));
    await fileSystem.syncDirectory(nested);
    expect(await fileSystem.list(nested)).toEqual([]);
  });
});
