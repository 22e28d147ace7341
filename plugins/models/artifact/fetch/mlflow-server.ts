import { problemError } from '../../problems/errors.ts';
import { askJson } from './http.ts';

/** A tracking server of MLflow, as its own variables name it. */
export type MlflowServer = {
  /** Without credentials, and without a slash at its end. */
  readonly at: string;
  readonly headers: Readonly<Record<string, string>>;
};

export const MLFLOW_ACCESS =
  'Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, to who may read it.';

/**
 * MLFLOW_TRACKING_URI, with who asks: a token, or a name and a password.
 * https://mlflow.org/docs/latest/self-hosting/security/basic-http-auth/
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING` where it names no server that is asked over HTTP
 */
export function mlflowServer(
  reference: string,
  key: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): MlflowServer {
  const given = env.MLFLOW_TRACKING_URI?.trim() ?? '';
  const refuse = (message: string, fix: string): Error =>
    problemError([{ code: 'MODELS_ARTIFACT_MISSING', key, value: reference, message, fix }]);
  const fix =
    'Set MLFLOW_TRACKING_URI to the address of a tracking server, for example http://127.0.0.1:5000.';
  if (given === '') throw refuse(`${reference} is MLflow’s, and no server of it is named.`, fix);
  if (/^databricks/i.test(given))
    throw refuse(
      `${reference}: Databricks keeps models in Unity Catalog, which is asked in another way than MLflow’s own registry.`,
      'Copy the version to a registry of MLflow, or download it and name the file.',
    );
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw refuse(
      `${reference}: MLFLOW_TRACKING_URI is ${shownOf(given)}, which is no address of a server over http or https.`,
      fix,
    );
  const user = env.MLFLOW_TRACKING_USERNAME ?? decodeURIComponent(url.username);
  const password = env.MLFLOW_TRACKING_PASSWORD ?? decodeURIComponent(url.password);
  const token = env.MLFLOW_TRACKING_TOKEN;
  const authorization =
    user !== ''
      ? `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
      : token
        ? `Bearer ${token}`
        : undefined;
  return {
    at: `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`,
    headers: authorization === undefined ? {} : { authorization },
  };
}

/** Credentials may stand in it. */
const shownOf = (uri: string): string => uri.replace(/\/\/[^/@]*@/, '//…@').slice(0, 100);

/** @returns the answer to a GET of MLflow's REST API. @throws HttpFault */
export const askMlflow = (
  { at, headers }: MlflowServer,
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<unknown> => {
  const search = new URLSearchParams(query).toString();
  return askJson({ url: `${at}/api/2.0/${path}${search === '' ? '' : `?${search}`}`, headers });
};
