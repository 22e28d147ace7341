import { shellWord } from '../../../core/text/shell.ts';
import type { Problem } from '../problems/errors.ts';
import type { Destination, ExportOptions } from './export-options.ts';
import { secretCommand } from './kubernetes/deployment.ts';
import { AUTOSCALERS, kubernetesFiles } from './kubernetes/kubernetes.ts';
import { anotherType } from './sagemaker/another-type.ts';
import { ecrRepository } from './sagemaker/image.ts';
import { INSTANCE_CPUS, MOST_MB, sageMakerInstance } from './sagemaker/instances.ts';
import { askedValue, sageMakerFiles } from './sagemaker/sagemaker.ts';
import { SWITCHED_ON, withoutScaling } from './sagemaker/switches.ts';
import {
  type ExportBefore,
  type ExportedFiles,
  type ExportGiven,
  exportedName,
  variableNames,
} from './shared/given.ts';
import { hostMemory } from './shared/worker-memory.ts';

/** A name of objects of Kubernetes, of Services above all, and of endpoints. */
const NAME = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Why there can be no files, whichever image it is: asked before one is made. */
export function exportProblems(given: ExportBefore, asked: ExportOptions): readonly Problem[] {
  return [...nameProblems(given), ...(asked.to === 'sagemaker' ? sageMakerProblems(given, asked) : [])];
}

/** @param given of what `exportProblems` finds nothing */
export function exported(given: ExportGiven, { to, keda }: ExportOptions): ExportedFiles {
  return to === 'kubernetes' ? kubernetesFiles(given, keda) : sageMakerFiles(given);
}

function nameProblems(given: ExportBefore): readonly Problem[] {
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

function sageMakerProblems(
  { host, memory, model }: ExportBefore,
  { image, push }: ExportOptions,
): readonly Problem[] {
  const repository = ecrRepository(image, host.region);
  const at = `models.${model.name}`;
  return [
    ...('wrong' in repository
      ? [{ code: 'MODELS_USAGE' as const, key: push ? '--push' : '--image', ...repository.wrong }]
      : []),
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
    ...(sageMakerInstance(memory, model.architecture) === undefined
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
}

/** What a person does with the files: a look at what they would do, which changes nothing. */
export function nextStep(to: Destination, folder: string, given: ExportGiven): string {
  if (to === 'kubernetes') return `kubectl apply --server-side --dry-run=server -k ${shellWord(folder)}`;
  const values = variableNames(given).map(askedValue);
  return [
    `aws cloudformation deploy --region ${given.host.region} --template-file ${shellWord(`${folder}/${TEMPLATE}`)}`,
    `--stack-name ${stackOf(given)} --capabilities CAPABILITY_IAM --no-execute-changeset`,
    `--parameter-overrides ${[...SWITCHED_ON, ...values].join(' ')}`,
  ].join(' ');
}

/** SageMaker’s only file. */
export const TEMPLATE = 'template.yaml';

const stackOf = (given: ExportGiven): string => `${exportedName(given)}-sagemaker`;

/** A command that a person runs, and when. */
type Beside = { readonly when: string; readonly command: string };

/**
 * What the files do not do by themselves.
 *
 * @param removed names of files that went
 * @param earlier text of the template that was there before
 */
export function besideFiles(
  to: Destination,
  removed: readonly string[],
  given: ExportGiven,
  earlier = '',
): readonly Beside[] {
  if (to === 'sagemaker') return besideTemplate(given, earlier);
  const variables = variableNames(given);
  const gone = removed.flatMap((file) => {
    const kind = AUTOSCALERS[file];
    return kind === undefined ? [] : [`kubectl delete ${kind} ${exportedName(given)}`];
  });
  return [
    ...(variables.length === 0
      ? []
      : [
          {
            when: 'Before the first pod, and before one with another variable',
            command: `${secretCommand(given, variables)} ${MADE_OR_CHANGED}`,
          },
        ]),
    ...gone.map((command) => ({
      when: 'Where the one that was removed is in a cluster, apply leaves it there, and two autoscalers undo each other',
      command,
    })),
  ];
}

/**
 * Goes behind a command that makes an object, which ends with an error where there is one already. The
 * server’s apply, since the client’s would put a Secret’s values into an annotation, too; and by force, as
 * who made it may have done so without.
 */
const MADE_OR_CHANGED = '--dry-run=client -o yaml | kubectl apply --server-side --force-conflicts -f -';

function besideTemplate(given: ExportGiven, earlier: string): readonly Beside[] {
  const change = anotherType(earlier, sageMakerFiles(given)[TEMPLATE] ?? '');
  if (change === undefined) return [];
  const at = `--region ${given.host.region} --stack-name ${stackOf(given)}`;
  return [
    {
      when: `Where the template before is deployed, first: SageMaker refuses another type of instance (${change.from}, now ${change.to}) while there is scaling, which the deploy then brings back`,
      command: [
        `aws cloudformation update-stack ${at} --use-previous-template --capabilities CAPABILITY_IAM`,
        `--parameters ${withoutScaling(change.parameters).join(' ')}`,
        `&& aws cloudformation wait stack-update-complete ${at}`,
      ].join(' '),
    },
  ];
}
