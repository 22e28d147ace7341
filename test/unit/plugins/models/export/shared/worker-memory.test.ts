import { expect, it } from 'vitest';
import {
  hostMemory,
  memoryNote,
  workerMemory,
} from '../../../../../../plugins/models/export/shared/worker-memory.ts';

const model = { name: 'churn', memory: 1769 } as Parameters<typeof workerMemory>[0];
const facts = { identity: 'a', source: 's' };
const used = { value: 141.3, from: 'bench.json, 2026-11-27' };

it.each([
  ['no bench', undefined, 'models.churn.memory, since no bench measured it'],
  ['a bench that saw no memory', {}, 'models.churn.memory, since no bench measured it'],
  [
    'a bench of another artifact',
    { used, identity: 'b' },
    'models.churn.memory, since the last bench was of another artifact',
  ],
  [
    'a bench of a deployed version that has another source',
    { used, source: 't' },
    'models.churn.memory, since the last bench was of another artifact',
  ],
])('%s: the declared memory', (_, bench, from) => {
  expect(workerMemory(model, facts, bench)).toEqual({ mb: 1769, measured: false, from });
});

it.each([{ used }, { used, identity: 'a' }, { used, source: 's' }])(
  'what a bench saw goes before what is declared: %o',
  (bench) => {
    expect(workerMemory(model, facts, bench)).toEqual({
      mb: 142,
      measured: true,
      from: 'bench.json, 2026-11-27',
    });
  },
);

it('a quarter more than was measured, nothing more than is declared, and the front', () => {
  expect(hostMemory({ mb: 160, measured: true, from: '' }, 2)).toBe(2 * 200 + 576);
  expect(hostMemory({ mb: 1000, measured: false, from: '' }, 1)).toBe(1584);
});

it('the note says which of them it is', () => {
  expect(memoryNote({ mb: 142, measured: true, from: 'bench.json' }, 1)).toMatch(
    /^Measured: 142 MB .*bench\.json/,
  );
  expect(memoryNote({ mb: 1769, measured: false, from: 'models.churn.memory' }, 2)).toMatch(
    /^Declared, not measured: 1769 MB for each of 2 workers/,
  );
});
