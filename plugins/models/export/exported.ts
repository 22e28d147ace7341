import type { Problem } from '../problems/errors.ts';
import type { Destination, ExportOptions } from './export-options.ts';
import { secretCommand } from './kubernetes/deployment.ts';
import { AUTOSCALERS, kubernetesFiles } from './kubernetes/kubernetes.ts';
import { ecrRepository } from './sagemaker/image.ts';
import { INSTANCE_CPUS, MOST_MB, sageMakerInstance } from './sagemaker/instances.ts';
import { parameterOf, sageMakerFiles } from './sagemaker/sagemaker.ts';
import { type ExportedFiles, type ExportGiven, exportedName, variableNames } from './shared/given.ts';
import { hostMemory } from './shared/worker-memory.ts';

/** A name of objects of Kubernetes, of Services above all, and of endpoints. */
const NAME = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** @returns the files, or why there can be none */
export function exported(
  given: ExportGiven,
  { to, keda }: ExportOptions,
): ExportedFiles | readonly Problem[] {
  const problems = nameProblems(given);
  if (problems.length > 0) return problems;
  return to === 'kubernetes' ? kubernetesFiles(given, keda) : forSageMaker(given);
}

export const isRefused = (found: ExportedFiles | readonly Problem[]): found is readonly Problem[] =>
  Array.isArray(found);

function nameProblems(given: ExportGiven): readonly Problem[] {
  const name = exportedName(given);
  if (NAME.test(name)) return [];
  return [
    {
      code: 'MODELS_INVALID_NAME',
      key: `models.${given.model.name}`,
      value: name,
      message: `${name} would be its name there, which is to have at most 63 letters, digits and dashes, begin with a letter and not end with a dash.`,
      fix: 'Shorten or rename service, stage or model.',
    },
  ];
}

/**
 * Seconds in which a container has to answer:
 * https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
 */
const SAGEMAKER_TIMEOUT = 60;

function forSageMaker(given: ExportGiven): ExportedFiles | readonly Problem[] {
  const { host, image, memory, model } = given;
  const repository = ecrRepository(image, host.region);
  const instance = sageMakerInstance(memory, model.architecture);
  const at = `models.${model.name}`;
  const problems: readonly Problem[] = [
    ...('code' in repository ? [repository] : []),
    ...(model.timeout <= SAGEMAKER_TIMEOUT
      ? []
      : [
          {
            code: 'MODELS_INVALID_VALUE' as const,
            key: `${at}.timeout`,
            value: model.timeout,
            message: `${model.timeout} s are longer than the ${SAGEMAKER_TIMEOUT} s that SageMaker waits for an answer.`,
            fix: `Write ${SAGEMAKER_TIMEOUT} or less, or take another host.`,
          },
        ]),
    ...(instance === undefined
      ? [
          {
            code: 'MODELS_INVALID_VALUE' as const,
            key: `${at}.memory`,
            value: memory.mb,
            message: `${INSTANCE_CPUS} workers and the front take ${hostMemory(memory, INSTANCE_CPUS)} MB; ${MOST_MB} MB are the most of an instance with ${INSTANCE_CPUS} processors (${memory.from}).`,
            fix: 'Measure with `sls models bench`: what is measured goes before what is declared.',
          },
        ]
      : []),
  ];
  if (problems.length > 0 || instance === undefined || 'code' in repository) return problems;
  return sageMakerFiles(given, repository, instance);
}

/** What a person does with the files: a look at what they would do, which changes nothing. */
export function nextStep(to: Destination, folder: string, given: ExportGiven): string {
  if (to === 'kubernetes') return `kubectl apply --server-side --dry-run=server -k ${folder}`;
  const values = variableNames(given).map((name) => ` ${parameterOf(name)}=…`);
  return [
    `aws cloudformation deploy --region ${given.host.region} --template-file ${folder}/template.yaml`,
    `--stack-name ${exportedName(given)}-sagemaker --capabilities CAPABILITY_IAM --no-execute-changeset`,
    ...(values.length === 0 ? [] : [`--parameter-overrides${values.join('')}`]),
  ].join(' ');
}

/** What the files do not do by themselves, a sentence each. @param removed names of files that went */
export function besideFiles(
  to: Destination,
  removed: readonly string[],
  given: ExportGiven,
): readonly string[] {
  if (to !== 'kubernetes') return [];
  const variables = variableNames(given);
  const gone = removed.flatMap((file) => {
    const kind = AUTOSCALERS[file];
    return kind === undefined ? [] : [`kubectl delete ${kind} ${exportedName(given)}`];
  });
  return [
    ...(variables.length === 0 ? [] : [`Before the first pod: ${secretCommand(given, variables)}`]),
    ...gone.map(
      (command) =>
        `Where the one that was removed is in a cluster, apply leaves it there, and two autoscalers undo each other: ${command}`,
    ),
  ];
}
