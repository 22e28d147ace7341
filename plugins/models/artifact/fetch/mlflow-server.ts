import { addressIn } from '../../../../core/origin/address.ts';
import type { SourceContext } from '../../contracts/sources/artifact-source.ts';
import { problemError } from '../../problems/errors.ts';
import { askJson } from './http.ts';
import { httpFault } from './http-fault.ts';
import { managedMlflow } from './mlflow-managed.ts';
import { namedServer } from './named-server.ts';

/** A tracking server of MLflow, as its own variables name it. */
export type MlflowServer = {
  /**
   * Its address, or the ARN of one that SageMaker manages: without credentials, and no slash at its end. A
   * workspace stands behind it: models of another one may have the same names.
   */
  readonly at: string;
  /** Where it is asked. */
  readonly url: string;
  /** Who asks: headers of a GET of this address. */
  readonly headers: (url: string) => Promise<Readonly<Record<string, string>>>;
  /** What to do about a refusal. */
  readonly access: string;
  /** A running line. */
  readonly progress: SourceContext['progress'];
};

type Named = Omit<MlflowServer, 'progress'>;

/** The workspace that a server with workspaces takes where nobody names one. */
const DEFAULT_WORKSPACE = 'default';

/**
 * MLFLOW_TRACKING_URI, with who asks: a token, or a name and a password; AWS's credentials where it is the
 * ARN of a server that SageMaker manages. MLFLOW_WORKSPACE goes with each question, as from MLflow's client.
 * https://mlflow.org/docs/latest/self-hosting/security/basic-http-auth/
 * https://mlflow.org/docs/latest/self-hosting/workspaces/
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING` where it names no server that is asked over HTTP, or
 * MLFLOW_REGISTRY_URI another one
 */
export function mlflowServer(
  reference: string,
  context: SourceContext,
  env: Readonly<Record<string, string | undefined>> = process.env,
): MlflowServer {
  const server = { ...serverOf(reference, context, env), progress: context.progress };
  const workspace = env.MLFLOW_WORKSPACE?.trim() || undefined;
  if (workspace === undefined) return server;
  return {
    ...server,
    at: workspace === DEFAULT_WORKSPACE ? server.at : `${server.at} (workspace ${workspace})`,
    headers: async (url) => ({ ...(await server.headers(url)), 'x-mlflow-workspace': workspace }),
  };
}

function serverOf(
  reference: string,
  { key, aws }: SourceContext,
  env: Readonly<Record<string, string | undefined>>,
): Named {
  const given = env.MLFLOW_TRACKING_URI?.trim() ?? '';
  const refuse = (message: string, fix: string): Error =>
    problemError([{ code: 'MODELS_ARTIFACT_MISSING', key, value: reference, message, fix }]);
  const fix =
    'Set MLFLOW_TRACKING_URI to the address of a tracking server, for example http://127.0.0.1:5000.';
  if (given === '') throw refuse(`${reference} is MLflow’s, and no server of it is named.`, fix);
  const registry = env.MLFLOW_REGISTRY_URI?.trim() ?? '';
  if ([given, registry].some(isDatabricks))
    throw refuse(
      `${reference}: Databricks keeps models in Unity Catalog, which is asked in another way than MLflow’s own registry.`,
      'Copy the version to a registry of MLflow, or download it and name the file.',
    );
  if (registry !== '' && addressIn(registry) !== addressIn(given))
    throw refuse(
      `${reference}: MLFLOW_REGISTRY_URI names another server than MLFLOW_TRACKING_URI, and a model and its run are read from one.`,
      'Unset MLFLOW_REGISTRY_URI, or set both to the server that has the model.',
    );
  if (given.startsWith('arn:')) return managed(reference, given, aws, env, refuse);
  const server = namedServer(
    'MLFLOW_TRACKING_URI',
    given,
    (message, how = fix) => refuse(`${reference}: ${message}`, how),
    ', or set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD',
  );
  const { at } = server;
  const authorization = server.authorization({
    // A build whose secret is not set has empty ones.
    user: env.MLFLOW_TRACKING_USERNAME || undefined,
    password: env.MLFLOW_TRACKING_PASSWORD || undefined,
    token: env.MLFLOW_TRACKING_TOKEN,
  });
  return {
    at,
    url: at,
    headers: async () => (authorization === undefined ? {} : { authorization }),
    access:
      'Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, to who may read it.',
  };
}

function managed(
  reference: string,
  arn: string,
  aws: SourceContext['aws'],
  env: Readonly<Record<string, string | undefined>>,
  refuse: (message: string, fix: string) => Error,
): Named {
  if (aws?.credentials === undefined)
    throw refuse(
      `${reference}: MLflow at ${arn} is asked with AWS’s credentials, and there are none here.`,
      'Run it where AWS may be asked, with credentials.',
    );
  const server = managedMlflow(arn, aws.credentials, env.SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT);
  if (server === undefined)
    throw refuse(
      `${reference}: MLFLOW_TRACKING_URI is ${arn}, which is no tracking server and no MLflow app of SageMaker.`,
      'Copy its ARN from `aws sagemaker list-mlflow-tracking-servers` or `list-mlflow-apps`.',
    );
  return {
    at: arn,
    url: server.url,
    headers: (url) =>
      server.sign(url).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        throw httpFault('refused', `is not asked: ${why}`);
      }),
    access: `Allow ${server.actions} on it, or use other credentials.`,
  };
}

/**
 * The store that MLflow’s own client asks in place of AWS’s S3.
 * https://mlflow.org/docs/latest/self-hosting/architecture/artifact-store/
 *
 * @returns undefined where it is the one that is asked here
 */
export function otherStore(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const given = env.MLFLOW_S3_ENDPOINT_URL?.trim() ?? '';
  if (given === '' || (URL.canParse(given) && /\.amazonaws\.com(\.cn)?$/.test(new URL(given).hostname)))
    return undefined;
  const store = addressIn(given);
  return [env.AWS_ENDPOINT_URL_S3, env.AWS_ENDPOINT_URL].some((one) => one && addressIn(one) === store)
    ? undefined
    : store;
}

/** By the name of a profile, or the address of a workspace. */
const isDatabricks = (uri: string): boolean =>
  /^databricks/i.test(uri) ||
  (URL.canParse(uri) &&
    /\.(databricks\.(com|us)|azuredatabricks\.net|databricks\.azure\.(cn|us))$/.test(new URL(uri).hostname));

/** @returns the answer to a GET of MLflow's REST API. @throws HttpFault */
export async function askMlflow(
  { url: at, headers, progress }: MlflowServer,
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const search = Object.entries(query)
    .map(([name, value]) => `${name}=${escaped(value)}`)
    .join('&');
  const url = `${at}/api/2.0/${path}${search === '' ? '' : `?${search}`}`;
  return askJson({ url, headers, progress });
}

/** As Signature Version 4 has it, which escapes more than `encodeURIComponent`; every server reads that. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
