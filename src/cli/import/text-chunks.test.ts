import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { createPrng } from '../../core/prng.ts';
import { type ChunkOptions, wholeLines } from './text-chunks.ts';

async function chunksOf(pieces: string[], options: Partial<ChunkOptions> = {}): Promise<string[]> {
  const input = Readable.from(pieces.map((piece) => Buffer.from(piece)));
  const chunks: string[] = [];
  for await (const chunk of wholeLines(input, { bytesMin: 4, bytesMax: 1000, quoted: true, ...options })) {
    chunks.push(chunk.toString());
  }
  return chunks;
}

it('cuts behind line feeds only', async () => {
  expect(await chunksOf(['a,b\n1,', '2\n3', ',4\n'])).toEqual(['a,b\n', '1,2\n', '3,4\n']);
});

it('hands on a last line without a line feed', async () => {
  expect(await chunksOf(['a\nb'], { bytesMin: 100 })).toEqual(['a\nb']);
});

it('keeps a quoted line feed inside its record', async () => {
  expect(await chunksOf(['x,"1\n2"\ny,"say ""\n"""\nz'])).toEqual(['x,"1\n2"\ny,"say ""\n"""\n', 'z']);
});

it('does not care for quotes in NDJSON', async () => {
  expect(await chunksOf(['{"a":"\\""}\n{}\n{'], { quoted: false })).toEqual(['{"a":"\\""}\n{}\n', '{']);
});

it('refuses a record without end', async () => {
  await expect(chunksOf(['"', 'x'.repeat(2000)])).rejects.toThrow('a record is longer than 1000 bytes');
});

it('gives back what it took, wherever the pieces are cut', async () => {
  const text = Array.from(
    { length: 40 },
    (_, row) => `${row},"field ${row}\nwith ""feeds""",${row * 2}\n`,
  ).join('');
  for (let seed = 1; seed <= 50; seed++) {
    const prng = createPrng(seed);
    const pieces: string[] = [];
    for (let at = 0; at < text.length; ) {
      const length = 1 + prng.below(60);
      pieces.push(text.slice(at, at + length));
      at += length;
    }
    const chunks = await chunksOf(pieces, { bytesMin: 1 + prng.below(100) });
    expect(chunks.join(''), `seed ${seed}`).toBe(text);
    for (const chunk of chunks) expect((chunk.match(/"/g)?.length ?? 0) % 2, `seed ${seed}`).toBe(0);
  }
});
