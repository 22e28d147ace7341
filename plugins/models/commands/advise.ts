import { advisedModel, tellAdvice } from '../advise/advised.ts';
import { keptBench } from '../advise/kept-bench.ts';
import { knownFile } from '../advise/known-file.ts';
import { adviceNeeds } from '../advise/needs.ts';
import { ADVISE_OPTIONS } from '../advise/options.ts';
import { pricesOf } from '../advise/price-file.ts';
import { type Command, modelOf, NO_MODELS } from '../context/context.ts';

/**
 * `sls models advise`: batch, real time or edge, on what, for which reasons, at what cost. Changes nothing.
 */
export const command: Command = {
  usage: 'Advise where a model should run, with reasons, costs and what is not known',
  options: {
    model: { usage: 'Name of the model (default: all)', shortcut: 'm', type: 'string' },
    ...ADVISE_OPTIONS,
  },
  run: async (context) => {
    const { aws, flags, models, print, progress, service } = context;
    // A bench is one model’s.
    const isOne = flags.model !== undefined || flags.bench !== undefined;
    const chosen = isOne ? [modelOf(context)] : models;
    const prices = await pricesOf(typeof flags.prices === 'string' ? flags.prices : undefined, service.dir);
    const advised = [];
    for (const model of chosen) {
      const key = `models.${model.name}.artifact`;
      const known = await knownFile(model.artifact.reference, {
        key,
        serviceDir: service.dir,
        progress,
        aws,
      });
      const bench = await keptBench(model, context);
      advised.push(advisedModel(model.name, adviceNeeds(flags, known, model, bench), prices));
    }
    const { isKept, text } = await tellAdvice(advised, prices, flags, service.dir);
    print(text === '' ? NO_MODELS : text);
    if (!isKept) process.exitCode = 1;
  },
};
