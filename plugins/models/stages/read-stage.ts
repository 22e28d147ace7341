import { patientLambda } from '../../../aws/clients/lambda.ts';
import { lambdaAliases } from '../../../aws/lambda/aliases.ts';
import { deployedRegistry } from '../../../aws/lambda/deployed-registry.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';
import type { Service } from '../context/context.ts';
import type { Validated } from '../contracts/ship-context.ts';
import type { Model } from '../declaration/model.ts';
import { ALIAS, lambdaName, RELEASE } from '../declaration/naming.ts';
import { isProblemError, type Problem, problemError, throwProblems } from '../problems/errors.ts';
import { readHistory } from '../releases/history/history.ts';
import { openRegistry } from '../releases/open.ts';
import { refusedByAws } from '../releases/session.ts';
import { isNotValidated, validatedAt } from './validated.ts';

/** Releases of a model among which its gate is looked for. */
const RELEASES = 20;

/**
 * What a stage of the same service, account and region has validated of these models.
 *
 * @param given the value of `--promote-from`
 * @throws ProblemError `MODELS_PROMOTION` with each model that it has not, `MODELS_USAGE`, `MODELS_AWS`
 */
export async function readStage(
  aws: AwsConfig,
  service: Service,
  given: string | boolean,
  models: readonly Model[],
): Promise<ReadonlyMap<string, Validated>> {
  const stage = stageIn(given, service);
  return stageOf(aws, service, stage, models).catch((error: unknown) => {
    if (isProblemError(error)) throw error;
    throw refusedByAws({ stack: `${service.name} at the stage ${stage}`, region: service.region }, error);
  });
}

async function stageOf(
  aws: AwsConfig,
  service: Service,
  stage: string,
  models: readonly Model[],
): Promise<ReadonlyMap<string, Validated>> {
  const worker = lambdaName(service.name, stage, RELEASE);
  const bucket = await deployedRegistry(aws, worker);
  if (bucket === undefined)
    throw problemError([
      {
        code: 'MODELS_PROMOTION',
        key: '--promote-from',
        value: stage,
        message: `${service.name} is not deployed to ${stage} in ${service.region}, or its function ${worker} may not be looked at.`,
        fix: `Deploy to ${stage} first, in this account and region; it takes lambda:GetFunctionConfiguration to look.`,
      },
    ]);
  const lambda = patientLambda(aws);
  const opened = await openRegistry(aws, { ...service, stage }, bucket);
  try {
    const { documents, benches } = opened;
    const aliases = lambdaAliases(lambda);
    const read = await Promise.all(
      models.map(async ({ name }) => {
        const found = await documents.release(name);
        const { functionName, alias = ALIAS, stable } = found?.release ?? {};
        const version = stable?.version;
        const [at, record, pasts, [bench]] = await Promise.all([
          functionName === undefined ? undefined : aliases.get(functionName, alias),
          version === undefined ? undefined : documents.known(name, version),
          found?.release === undefined ? [] : readHistory(documents, name, RELEASES),
          version === undefined ? [] : benches.newest(name, [version]),
        ]);
        return [name, validatedAt(stage, name, { found, alias: at, record, pasts, bench })] as const;
      }),
    );
    throwProblems(read.flatMap(([, one]): readonly Problem[] => (isNotValidated(one) ? [one] : [])));
    return new Map(read.flatMap(([name, one]) => (isNotValidated(one) ? [] : [[name, one] as const])));
  } finally {
    opened.close();
    lambda.destroy();
  }
}

function stageIn(given: string | boolean, { stage }: Service): string {
  const refuse = (message: string): Error =>
    problemError([
      {
        code: 'MODELS_USAGE',
        key: '--promote-from',
        message,
        fix: 'Name another stage of this service, for example --promote-from staging.',
      },
    ]);
  if (typeof given !== 'string' || !/^[\w-]{1,64}$/.test(given)) throw refuse('names no stage.');
  if (given === stage) throw refuse(`${given} is the stage that is deployed to.`);
  return given;
}
