/** The thread behind release.ts. */
import { parentPort } from 'node:worker_threads';
import type { Question } from './release.ts';
import { FIGURES, tables } from './release-figures.ts';

parentPort?.on('message', ({ figure, runs }: Question) => {
  parentPort?.postMessage(figure === undefined ? tables(runs) : FIGURES.get(figure)?.of(runs));
});
