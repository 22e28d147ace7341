import { requestSigner } from '../../../../aws/sign.ts';
import type { AwsConfig } from '../../../../core/ports/config.ts';

/**
 * MLflow as SageMaker manages it: the same API, signed. Hosts, headers and names of the services are those of
 * SageMaker's own client, PyPI `sagemaker-mlflow` 0.5.0 (`mlflow_sagemaker_helpers.py`, `auth_provider.py`,
 * `mlflow_sagemaker_request_header_provider.py`).
 */
const KINDS: Readonly<Record<string, Kind>> = {
  'mlflow-tracking-server': {
    host: (region) => `${region}.experiments.sagemaker.aws`,
    header: 'x-mlflow-sm-tracking-server-arn',
    service: 'sagemaker-mlflow',
    actions: 'sagemaker-mlflow:Get*',
  },
  'mlflow-app': {
    host: (region) => `mlflow.sagemaker.${region}.app.aws`,
    header: 'x-sm-mlflow-app-arn',
    service: 'sagemaker',
    actions: 'sagemaker:CallMlflowAppApi',
  },
};

type Kind = {
  readonly host: (region: string) => string;
  readonly header: string;
  readonly service: string;
  /** What who reads must be allowed. */
  readonly actions: string;
};

const ARN =
  /^arn:(aws|aws-us-gov):sagemaker:([a-z0-9-]+):\d{12}:(mlflow-tracking-server|mlflow-app)\/[\w-]+$/;
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

type ManagedMlflow = {
  /** Its address, without a slash at its end. */
  readonly url: string;
  readonly actions: string;
  /** Headers of a GET of this address. */
  readonly sign: (url: string) => Promise<Readonly<Record<string, string>>>;
};

/**
 * @param endpoint in place of its own, as SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT names one
 * @returns undefined where this is the ARN of no MLflow
 */
export function managedMlflow(
  arn: string,
  credentials: NonNullable<AwsConfig['credentials']>,
  endpoint: string | undefined,
): ManagedMlflow | undefined {
  const [, , region = '', name = ''] = ARN.exec(arn) ?? [];
  const kind = KINDS[name];
  if (kind === undefined) return undefined;
  const sign = requestSigner(kind.service, region, credentials);
  return {
    url: (endpoint || `https://${kind.host(region)}`).replace(/\/+$/, ''),
    actions: kind.actions,
    sign: async (address) => {
      const url = new URL(address);
      const headers = { host: url.host, 'x-amz-content-sha256': EMPTY, [kind.header]: arn };
      const { host: _, ...signed } = await sign('GET', url, headers, new Uint8Array());
      return signed;
    },
  };
}
