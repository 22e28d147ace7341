import { join } from 'node:path';
import type { InvokePort } from '../../../core/ports/aws.ts';
import { type Context, usage } from '../context/context.ts';
import type { ArtifactRuntime } from '../contracts/artifact-format.ts';
import type { Model } from '../declaration/model.ts';
import { inFolder } from '../disk/folder.ts';
import { ownVersion } from '../disk/own-version.ts';
import { type Ask, askHttp, inferPath } from './ask.ts';
import { serveLocally } from './local.ts';
import { shipHere } from './shipped.ts';

/**
 * The handler that a deploy would ship, in a process of its own.
 * @param connect how it is asked. Not by `fetch`: Node's goes by a proxy to this machine, too, where
 * `NODE_USE_ENV_PROXY` is set, and waits five minutes for an answer, whatever the model's `timeout` is
 */
export async function askHere<T>(
  model: Model,
  { service, notice, progress, plan, aws }: Context,
  connect: (url: URL) => { readonly post: Ask; readonly close: () => void },
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
    const { post, close } = connect(new URL(inferPath(model), local.url));
    try {
      return await work(askHttp(post));
    } finally {
      close();
      await local.stop();
    }
  });
}

const absent = ({ name }: ArtifactRuntime): Error =>
  usage('--local', `needs ${name}, which has no build for this machine.`, 'Deploy, and leave it out.');
