/** The thread behind release.ts. */
import { parentPort } from 'node:worker_threads';
import { FIGURES, tables } from './figures.ts';
import type { Question } from './release.ts';

parentPort?.on('message', ({ figure, runs }: Question) => {
  parentPort?.postMessage(figure === undefined ? tables(runs) : FIGURES.get(figure)?.of(runs));
});
