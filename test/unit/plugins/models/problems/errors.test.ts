import { expect, it } from 'vitest';
import {
  isProblemError,
  type Problem,
  throwProblems,
} from '../../../../../plugins/models/problems/errors.ts';

const problem = (key: string): Problem => ({
  code: 'MODELS_RUNTIME_UNAVAILABLE',
  key,
  message: 'npm is not there.',
  fix: 'Install it.',
});

it('what each of several models says in the same words is told once, in the order of the first', () => {
  const thrown = () => throwProblems([problem('b'), problem('a'), problem('b')]);
  expect(thrown).toThrow(
    'b: npm is not there. Install it. [MODELS_RUNTIME_UNAVAILABLE]\na: npm is not there. Install it. [MODELS_RUNTIME_UNAVAILABLE]',
  );
  try {
    thrown();
  } catch (error) {
    expect(isProblemError(error) && error.problems.map(({ key }) => key)).toEqual(['b', 'a']);
  }
});

it('none throw nothing', () => {
  expect(() => throwProblems([])).not.toThrow();
});
