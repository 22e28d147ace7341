import { join, relative, resolve } from 'node:path';
import { keptBench } from '../advise/kept-bench.ts';
import { type Command, modelOf } from '../context/context.ts';
import { writeSealed } from '../disk/sealed.ts';
import { EXPORT_OPTIONS, exportOptions } from '../export/export-options.ts';
import { exported, isRefused, nextStep } from '../export/exported.ts';
import { type ExportGiven, leftOnLambda } from '../export/shared/given.ts';
import { workerMemory } from '../export/shared/worker-memory.ts';
import { throwProblems } from '../problems/errors.ts';

/** `sls models export`: files that another host takes a model by. Changes nothing but these files. */
export const command: Command = {
  usage: 'Write the files that run a model on Kubernetes or SageMaker, from its image',
  options: EXPORT_OPTIONS,
  run: async (context) => {
    const { flags, notice, options, plan, print, progress, service } = context;
    const model = modelOf(context);
    const asked = exportOptions(flags);
    const { image } = asked;
    progress(`Looking for what was measured of ${model.name}`);
    const facts = (await context.facts([model])).get(model.name);
    if (facts === undefined) throw new Error(`Nothing is known of ${model.name}.`);
    const memory = workerMemory(model, facts, await keptBench(model, context));
    progress(undefined);
    const given: ExportGiven = {
      ...{ model, image, memory, cpu: asked.cpu, alerts: options.alerts },
      host: { ...plan.host, service: service.name },
    };
    const files = exported(given, asked);
    if (isRefused(files)) return throwProblems(files);
    const shown = typeof flags.output === 'string' ? flags.output : join(asked.to, model.name);
    const folder = resolve(service.dir, shown);
    const outcome = await writeSealed(folder, files, {
      by: `sls models export --to ${asked.to}`,
      key: '--output',
      overwrite: flags.overwrite === true,
    });
    const written = Object.entries(outcome).map(([name, became]) => ({
      path: relative(service.dir, join(folder, name)),
      became,
    }));
    const then = nextStep(asked.to, relative(service.dir, folder) || '.', given);
    if (flags.json)
      return print(
        JSON.stringify({ to: asked.to, image: image.reference, memory, files: written, then }, null, 2),
      );
    print(written.map(({ path, became }) => `${became.padEnd(9)}  ${path}`).join('\n'));
    notice(`Stays on Lambda: ${leftOnLambda(model).join('; ')}.`);
    notice(`To look at what it would do: ${then}`);
  },
};
