#!/usr/bin/env node
/**
 * `npx serverless-models advise model.onnx`: advice on a file, without a service, a framework or an account.
 */
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { problemJson, usage } from '../context/context.ts';
import { referenceProblems } from '../declaration/reference-rules.ts';
import { ownVersion } from '../disk/own-version.ts';
import { formatProblem, isProblemError, throwProblems, visible } from '../problems/errors.ts';
import { advisedModel, tellAdvice } from './advised.ts';
import { benchInFile } from './bench-figures.ts';
import { knownFile } from './known-file.ts';
import { adviceNeeds } from './needs.ts';
import { ADVISE_OPTIONS, type AdviseFlags } from './options.ts';
import { pricesOf } from './price-file.ts';

const HELP = [
  'serverless-models advise <model.onnx> [options]',
  '',
  'Where a model should run (batch, Lambda, containers, SageMaker, a device), why, and what it costs a month.',
  'Everything else is `sls models`, in a service of the Serverless Framework.',
  '',
  ...Object.entries(ADVISE_OPTIONS).map(([name, { usage: words }]) => `  --${name.padEnd(15)} ${words}`),
].join('\n');

function read(args: readonly string[]): { readonly files: readonly string[]; readonly flags: AdviseFlags } {
  const options = Object.fromEntries(
    Object.entries(ADVISE_OPTIONS).map(([name, { type }]) => [name, { type }] as const),
  );
  try {
    const { positionals, tokens, values } = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
      tokens: true,
    });
    const names = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (twice !== undefined) throw new Error(`Option '--${twice}' is there more than once.`);
    return { files: positionals, flags: values as AdviseFlags };
  } catch (error) {
    throw usage(
      'advise',
      (error instanceof Error ? error.message : String(error)).replace(/[^.]$/, '$&.'),
      'See `serverless-models --help`.',
    );
  }
}

async function main([verb, ...args]: readonly string[]): Promise<void> {
  if (verb === '--version') {
    console.log(await ownVersion());
    return;
  }
  const isAsked = ['--help', '-h'].some((flag) => verb === flag || args.includes(flag));
  if (verb === undefined || verb === 'help' || isAsked) {
    console.log(HELP);
    return;
  }
  if (verb !== 'advise')
    throw usage(verb, 'is no command without a service.', 'Use advise, or `sls models` in a service.');
  const { files, flags } = read(args);
  const [file, second] = files;
  if (file === undefined || second !== undefined)
    throw usage(
      'advise',
      `takes one file, not ${files.length}.`,
      'Write for example `npx serverless-models advise model.onnx`.',
    );
  throwProblems(referenceProblems(file, file));
  const folder = process.cwd();
  const known = await knownFile(file, { key: file, serviceDir: folder, progress: () => undefined });
  const bench = typeof flags.bench === 'string' ? await benchInFile(flags.bench, folder) : undefined;
  const prices = await pricesOf(typeof flags.prices === 'string' ? flags.prices : undefined, folder);
  const advised = advisedModel(basename(file), adviceNeeds(flags, known, undefined, bench), prices);
  const { isKept, text } = await tellAdvice([advised], prices, flags, folder);
  console.log(visible(text));
  if (!isKept) process.exitCode = 1;
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  if (!isProblemError(error)) throw error;
  process.exitCode = 1;
  if (!process.argv.includes('--json'))
    for (const problem of error.problems) console.error(formatProblem(problem));
  else console.log(visible(JSON.stringify({ problems: error.problems.map(problemJson) }, null, 2)));
});
