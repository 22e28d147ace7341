import { shownReference } from '../../../core/text/shown-reference.ts';
import { type Problem, throwProblems } from '../problems/errors.ts';
import { type ImageReference, readPlace, readReference } from '../ship/oci/reference.ts';

/** Where files are for. */
const DESTINATIONS = ['kubernetes', 'sagemaker'] as const;
export type Destination = (typeof DESTINATIONS)[number];

/** Percent of the processors: below, they stand idle; above, a start comes too late. */
const CPU = { least: 70, most: 80, usual: 75 } as const;

const text = (usage: string) => ({ usage, type: 'string' as const });

/** Options of `sls models export`. */
export const EXPORT_OPTIONS = {
  model: { ...text('Name of the model (default: the only one)'), shortcut: 'm' },
  to: text(`What the files are for: ${DESTINATIONS.join(' or ')}`),
  image: text('The image, by its digest (repository@sha256:…), or a tag, whose digest is looked up'),
  push: text('Make the image and push it there, host/repository:tag, in place of --image'),
  base: text('With --push: the image that it is laid over, host/repository@sha256:…'),
  output: { ...text('Folder to write to (default: <to>/<model>)'), shortcut: 'o' },
  cpu: text(
    `Percent of the processors that scaling aims at, ${CPU.least} to ${CPU.most} (default: ${CPU.usual})`,
  ),
  keda: text('Scale by the host’s queue, too, with KEDA: the address of Prometheus'),
  grpc: {
    usage: 'Open gRPC, too: ports of pod and Service, and who may reach them',
    type: 'boolean' as const,
  },
  bench: text('File that `sls models bench` wrote, bench.json: the memory that was measured'),
  overwrite: { usage: 'Write over files that a person has changed', type: 'boolean' as const },
  json: { usage: 'Print JSON', type: 'boolean' as const },
} as const;

type Flags = Readonly<Record<string, string | boolean | undefined>>;

export type ExportOptions = {
  readonly to: Destination;
  /** It may name no digest yet. */
  readonly image: ImageReference;
  /** Whether it is to be made and pushed first. */
  readonly push: boolean;
  readonly cpu: number;
  readonly grpc: boolean;
  /** Address of the Prometheus that KEDA asks. */
  readonly keda?: string;
};

const wrong = (key: string, message: string, fix: string): Problem => ({
  code: 'MODELS_USAGE',
  key,
  message,
  fix,
});

/** @throws ProblemError with all that is wrong with them */
export function exportOptions({ to, cpu, image, push, base, keda, grpc }: Flags): ExportOptions {
  const named = push === undefined ? imageOf(image) : placeOf(push, image);
  const destination = DESTINATIONS.find((one) => one === to);
  const percent = cpu === undefined ? CPU.usual : Number(cpu);
  const problems = [
    ...(destination === undefined
      ? [
          wrong(
            '--to',
            to === undefined ? 'is missing.' : `${to} is none of them.`,
            `Write ${DESTINATIONS.join(' or ')}.`,
          ),
        ]
      : []),
    ...(cpu !== '' && percent >= CPU.least && percent <= CPU.most && Number.isInteger(percent)
      ? []
      : [
          wrong(
            '--cpu',
            `${cpu} is not a whole number of percent from ${CPU.least} to ${CPU.most}.`,
            `Write for example ${CPU.usual}: below, processors stand idle; above, a new pod comes too late.`,
          ),
        ]),
    ...kedaProblems(keda),
    ...('code' in named ? [named] : []),
    ...(base !== undefined && push === undefined
      ? [wrong('--base', 'is of --push.', 'Leave it out: an image that is there has its base.')]
      : []),
    ...(keda !== undefined && destination === 'sagemaker'
      ? [wrong('--keda', 'is of Kubernetes.', 'Leave it out: SageMaker scales by its processors.')]
      : []),
    ...(grpc === true && destination === 'sagemaker'
      ? [wrong('--grpc', 'is of Kubernetes.', 'Leave it out: SageMaker asks a container by HTTP alone.')]
      : []),
  ];
  throwProblems(problems);
  if (destination === undefined || 'code' in named) throw new Error('A wrong option was no problem.');
  return {
    to: destination,
    image: named,
    push: push !== undefined,
    cpu: percent,
    grpc: grpc === true,
    ...(typeof keda === 'string' && { keda }),
  };
}

function imageOf(image: Flags[string]): ImageReference | Problem {
  const fix =
    'Name the image by its digest, repository@sha256:…, or by a tag, whose digest is looked up; or have it made by --push.';
  if (typeof image !== 'string' || image === '') return wrong('--image', 'is missing.', fix);
  const found = readReference(image);
  if ('wrong' in found) return wrong('--image', `${shownReference(image)} ${found.wrong}.`, fix);
  return found.digest === undefined && found.tag === undefined
    ? wrong('--image', `${image} has neither digest nor tag.`, fix)
    : found;
}

function placeOf(push: Flags[string], image: Flags[string]): ImageReference | Problem {
  const fix = 'Write `host/repository:tag`.';
  if (image !== undefined)
    return wrong('--push', 'makes the image that --image names.', 'Leave one of the two out.');
  if (typeof push !== 'string' || push === '') return wrong('--push', 'is empty.', fix);
  const found = readPlace(push);
  return 'wrong' in found ? wrong('--push', `${shownReference(push)} ${found.wrong}.`, fix) : found;
}

/** It goes into a file, and problems into logs: a password may be in neither. */
function kedaProblems(keda: Flags[string]): readonly Problem[] {
  if (keda === undefined) return [];
  const fix = 'Write that of Prometheus, for example http://prometheus-server.monitoring:9090.';
  const url = typeof keda === 'string' && URL.canParse(keda) ? new URL(keda) : undefined;
  const isHttp = url !== undefined && /^https?:$/.test(url.protocol);
  // They may stand in what is no address, too: without `http://`, or before a port that is none.
  if (isHttp ? url.username !== '' || url.password !== '' : String(keda).includes('@'))
    return [
      wrong(
        '--keda',
        'has a user or a password in it, which would be in the file.',
        'Leave them out; KEDA takes them by a TriggerAuthentication.',
      ),
    ];
  return isHttp ? [] : [wrong('--keda', `${keda} is no address of a server.`, fix)];
}
