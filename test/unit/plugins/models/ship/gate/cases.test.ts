import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Signature } from '../../../../../../core/tensor/contract.ts';
import { isProblemError } from '../../../../../../plugins/models/problems/errors.ts';
import { shipCases } from '../../../../../../plugins/models/ship/gate/cases.ts';

const signature: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
  omitted: ['map'],
};
const tensor = (name: string, data: readonly unknown[], more: object = {}) => ({
  name,
  datatype: 'FP32',
  shape: [1, data.length],
  data,
  ...more,
});
const input = tensor('x', [1, 2]);
const good = { inputs: [input], outputs: [tensor('y', [3])] };

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'models-cases-'));
  process.env.SERVERLESS_MODELS_CACHE = join(folder, 'cache');
});
afterAll(async () => {
  delete process.env.SERVERLESS_MODELS_CACHE;
  await rm(folder, { recursive: true, force: true });
});

async function ship(text: string, reference?: string) {
  await writeFile(join(folder, 'cases.jsonl'), text);
  const gate = { tolerance: 1e-4, ...(reference !== undefined && { reference }) };
  return shipCases('models.churn.gate.cases', 'cases.jsonl', gate, signature, folder);
}
async function problems(...lines: readonly unknown[]): Promise<readonly string[]> {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  return ship(text).then(
    () => [],
    (error: unknown) => {
      if (!isProblemError(error)) throw error;
      expect(new Set(error.problems.map(({ code }) => code))).toEqual(new Set(['MODELS_GATE_CASES']));
      return error.problems.map(({ message }) => message);
    },
  );
}

describe('a case file', () => {
  it('is known by its content and counted by its lines', async () => {
    const text = `${JSON.stringify(good)}\n\n${JSON.stringify(good)}\n`;
    const sha256 = createHash('sha256').update(text).digest('hex');
    const shipped = await ship(text);
    expect(shipped.facts).toEqual({ sha256, bytes: Buffer.byteLength(text), count: 2 });
    expect(shipped.upload).toMatchObject({ sha256, bytes: Buffer.byteLength(text) });
    // What was read is what is uploaded, whatever is written to the file before.
    await writeFile(join(folder, 'cases.jsonl'), 'another');
    expect(await readFile(shipped.upload.from, 'utf8')).toBe(text);
  });

  it('is UTF-8, or other texts than it has would be asked', async () => {
    const bytes = Buffer.from(JSON.stringify({ ...good, id: 'Müller' }), 'latin1');
    await writeFile(join(folder, 'latin.jsonl'), bytes);
    const gate = { tolerance: 1e-4 };
    await expect(
      shipCases('models.churn.gate.cases', 'latin.jsonl', gate, signature, folder),
    ).rejects.toThrow(/latin\.jsonl is not UTF-8.*MODELS_GATE_CASES/s);
  });

  it('needs no outputs where a reference answers', async () => {
    const line = JSON.stringify({ inputs: [input] });
    expect((await ship(line, 'churn-prod')).facts.count).toBe(1);
    expect(await problems(line)).toEqual([
      'cases.jsonl:1: The case has no outputs, and there is no reference.',
    ]);
  });

  it.each<[string, unknown, RegExp]>([
    ['what is no JSON', '{', /not JSON/],
    ['an unknown input', { ...good, inputs: [tensor('z', [1, 2])] }, /inputs are "x"/],
    ['a missing input', { ...good, inputs: [] }, /x/],
    ['another datatype', { ...good, inputs: [{ ...input, datatype: 'INT64' }] }, /FP32/],
    ['another width', { ...good, inputs: [tensor('x', [1, 2, 3])] }, /shape|dimension/],
    ['a text for a number', { ...good, inputs: [tensor('x', [1, 'two'])] }, /number/],
    ['an unknown output', { ...good, outputs: [tensor('z', [3])] }, /no output z; the model has y/],
    ['an omitted output', { ...good, outputs: [tensor('map', [3])] }, /map is not served/],
    [
      'an output of another datatype',
      { ...good, outputs: [tensor('y', [3], { datatype: 'FP64' })] },
      /y is FP32, not FP64/,
    ],
    [
      'an output of another shape',
      { ...good, outputs: [tensor('y', [3, 4])] },
      /\[-1, 1\] \(-1 is free\), not \[1, 2\]/,
    ],
  ])('is refused for %s, with the line', async (_, line, expected) => {
    const found = await problems(good, '', line);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^cases\.jsonl:3: /);
    expect(found[0]).toMatch(expected);
  });

  it('shows the first faulty lines, and counts the rest', async () => {
    const found = await problems(...Array.from({ length: 8 }, () => '{'));
    expect(found).toHaveLength(6);
    expect(found.at(-1)).toBe('cases.jsonl has 3 more faulty lines.');
  });

  it('never shows a value', async () => {
    const secret = {
      ...good,
      inputs: [tensor('x', ['secret', 'secret'])],
      outputs: [tensor('y', ['secret'])],
    };
    expect((await problems(secret)).join()).not.toContain('secret');
  });

  it('must be there, a file, not empty, and not too large', async () => {
    expect(await problems('')).toEqual(['cases.jsonl has no case.']);
    const at = (path: string) =>
      shipCases('models.churn.gate.cases', path, { tolerance: 0 }, signature, folder);
    await expect(at('none.jsonl')).rejects.toThrow('none.jsonl does not exist.');
    await mkdir(join(folder, 'sub'), { recursive: true });
    await expect(at('sub')).rejects.toThrow('sub is no file.');
    await writeFile(join(folder, 'large.jsonl'), '');
    await truncate(join(folder, 'large.jsonl'), 33 * 1024 ** 2);
    await expect(at('large.jsonl')).rejects.toThrow('large.jsonl has 33 MB; a case file may have 32.');
  });
});
