import { type Command, type Context, NO_MODELS, problemJson } from '../context/context.ts';
import type { Model } from '../declaration/model.ts';
import { resourceProblems } from '../plan/inventory.ts';
import { emptyLines } from '../plan/report.ts';
import { isProblemError, type Problem, throwProblems } from '../problems/errors.ts';

/** `sls models validate`: everything that can be checked without AWS, and all that is wrong at once. */
export const command: Command = {
  usage: 'Check declarations and artifacts without AWS, and list all problems at once',
  options: { json: { usage: 'Print JSON', type: 'boolean' } },
  onProblems: 'listed',
  run: async (context) => {
    const { models, problems, plan, flags, print } = context;
    const found = [...problems, ...resourceProblems(plan), ...(await artifactProblems(context))];
    if (flags.json) {
      print(JSON.stringify({ valid: found.length === 0, problems: found.map(problemJson) }, null, 2));
      // Thrown, the framework would print its own text among the JSON.
      if (found.length > 0) process.exitCode = 1;
      return;
    }
    for (const line of emptyLines(plan)) context.notice(line);
    throwProblems(found);
    print(summary(models));
  },
};

async function artifactProblems({ models, facts }: Context): Promise<readonly Problem[]> {
  try {
    await facts(models);
    return [];
  } catch (error) {
    if (!isProblemError(error)) throw error;
    return error.problems;
  }
}

const summary = (models: readonly Model[]): string =>
  models.length === 0 ? NO_MODELS : `${models.map(({ name }) => name).join(', ')}: no problems.`;
