/** The thread behind drift.ts. */
import { parentPort } from 'node:worker_threads';
import type { Question } from './drift.ts';
import { FIGURES, tables } from './figures.ts';
import { oursAt } from './power.ts';

function answer(question: Question): unknown {
  if ('figure' in question) return FIGURES[question.figure]?.of(question.runs);
  if ('found' in question) return oursAt(question.runs, question.n, question.found);
  return tables(question.runs);
}

parentPort?.on('message', (question: Question) => parentPort?.postMessage(answer(question)));
