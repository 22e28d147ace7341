import { join } from 'node:path';
import type { InvokePort } from '../../../core/ports/aws.ts';
import { type Context, usage } from '../context/context.ts';
import type { ArtifactRuntime } from '../contracts/artifact-format.ts';
import type { Model } from '../declaration/model.ts';
import { inFolder } from '../disk/folder.ts';
import { ownVersion } from '../disk/own-version.ts';
import { askHttp, inferPath } from './ask.ts';
import { serveLocally } from './local.ts';
import { shipHere } from './shipped.ts';

/** The handler that a deploy would ship, in a process of its own. */
export async function askHere<T>(
  model: Model,
  { service, notice, progress, plan, aws }: Context,
  work: (invoke: InvokePort) => Promise<T>,
): Promise<T> {
  const { environment } = plan.host.provider;
  return inFolder(async (folder) => {
    const local = await serveLocally({
      models: [model],
      service,
      environment,
      version: await ownVersion(),
      // Nobody looks at it.
      page: '',
      folder: join(folder, '.host'),
      port: 0,
      workers: 1,
      // What is refused is shown with its case.
      notice: (line) => (line.includes(': Refused. ') ? undefined : notice(line)),
      ship: (one, version) => {
        progress(`Preparing ${one.name}`);
        const outDir = join(folder, one.name, String(version));
        return shipHere(one, { serviceDir: service.dir, outDir, progress, environment, aws }, absent);
      },
    });
    try {
      const url = `${local.url}${inferPath(model)}`;
      const headers = { 'content-type': 'application/json' };
      const invoke = askHttp(async (body, signal) => {
        const answer = await fetch(url, { method: 'POST', headers, body, signal });
        return { status: answer.status, body: await answer.text() };
      });
      return await work(invoke);
    } finally {
      await local.stop();
    }
  });
}

const absent = ({ name }: ArtifactRuntime): Error =>
  usage('--local', `needs ${name}, which has no build for this machine.`, 'Deploy, and leave it out.');
