import { expect, it } from 'vitest';
import type { TickAnswer } from '../../../../../core/release/document/worker-contract.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { finishDeploy } from '../../../../../plugins/models/releases/finish.ts';
import { live } from '../../../core/release/traffic.ts';
import { finishing } from './finishing.ts';

/** The end of `sls rollback`: the template that is deployed then is not what serverless.yml declares. */
async function finished(declared: object, fingerprints: Readonly<Record<string, string>>) {
  const w = await live();
  const ticked: string[] = [];
  const lines: string[] = [];
  const context = finishing(w, {
    models: parseModels(declared).models,
    notice: (line) => lines.push(line),
    worker: () => ({
      tick: async (tick) => {
        ticked.push(tick.model);
        return (await w.send({ tick })) as TickAnswer;
      },
      command: async () => ({ done: false, refused: 'nothing is asked here' }),
      close: () => {},
    }),
  });
  const offers = Object.entries(fingerprints).map(([model, fingerprint]) => ({
    model,
    identity: 'i',
    source: 's',
    layer: 'l',
    fingerprint,
  }));
  await finishDeploy(context, { before: new Map(), earlier: new Map(), offers, again: [] }, false);
  return { ticked, lines };
}

it('a model that the template has not is left alone, and told', async () => {
  const both = { churn: { artifact: 'a.onnx' }, other: { artifact: 'a.onnx' } };
  expect(await finished(both, { churn: 'a' })).toEqual({
    ticked: ['churn'],
    lines: [
      'churn: version 3 is live',
      'other: the template that is deployed now has no such model, so it is not deployed any more',
    ],
  });
  // A template without models has no worker that could be asked.
  expect((await finished(both, {})).ticked).toEqual([]);
});

it('a model whose function the template names otherwise is live under that name', async () => {
  const renamed = { churn: { artifact: 'a.onnx', function: { name: 'renamed' } } };
  expect((await finished(renamed, { churn: 'a' })).lines).toEqual(['churn: version 3 is live']);
});
