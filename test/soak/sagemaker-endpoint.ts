import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { writtenTemplates } from '../export/cases.ts';
import { motoPython, startMoto } from './sagemaker/moto.ts';

type Made = {
  readonly status: string;
  readonly types: readonly string[];
  readonly image: string;
  readonly port: string;
  readonly instances: number;
  readonly variant: string;
};

/**
 * What is exported for SageMaker, as stacks at moto: each becomes an endpoint that is in service, of the
 * image that the template names. moto starts no container, moves no traffic, and makes neither alarms nor
 * scaling of a template.
 */
export async function sageMakerEndpoints(): Promise<string> {
  const templates = await writtenTemplates();
  const paths = templates.map(([path]) => path);
  const python = await motoPython();
  const moto = await startMoto(python);
  try {
    const script = join(import.meta.dirname, 'sagemaker', 'endpoint.py');
    const { stdout } = await promisify(execFile)(python, [script, moto.address, ...paths]);
    const made: readonly Made[] = JSON.parse(stdout);
    for (const [index, [path, text]] of templates.entries()) {
      const { Resources } = parse(text);
      const one = made[index];
      const types = Object.values<{ readonly Type: string }>(Resources)
        .map(({ Type }) => Type)
        .filter((type) => !/::(Alarm|Scal\w+)$/.test(type));
      const variant = Resources.EndpointConfig.Properties.ProductionVariants[0];
      const wanted = {
        status: 'InService',
        types: types.sort(),
        image: Resources.Model.Properties.PrimaryContainer.Image,
        port: '8080',
        instances: variant.InitialInstanceCount,
        variant: 'live',
      };
      if (JSON.stringify(one) !== JSON.stringify(wanted))
        throw new Error(`${path} became ${JSON.stringify(one)}, not ${JSON.stringify(wanted)}`);
    }
    return `${made.length} stacks, each an endpoint in service; moto starts no container, and makes no alarms and no scaling`;
  } finally {
    moto.stop();
  }
}
