/**
 * The command that waits for a release, in a process of its own, which whoever started it may end by SIGKILL.
 *
 * Arguments: endpoint of the local AWS, name of the worker's function, names of the model and of its alias.
 */
import { client } from '../../../local-aws/deployed.ts';
import { followReleases, isSettled } from '../../../plugins/models/releases/worker/follow.ts';
import { releaseWorker } from '../../../plugins/models/releases/worker/worker.ts';

const [endpoint = '', name = '', model = '', alias = ''] = process.argv.slice(2);
const settings = client(endpoint);
const worker = releaseWorker(
  { ...settings, credentials: async () => settings.credentials },
  { name, stage: 'test' },
);
const tell = ({ phase }: { readonly phase: string }): void => void process.send?.(phase);
await followReleases(worker, [{ model, functionName: model, alias }], tell, {
  done: isSettled,
  limit: Number.POSITIVE_INFINITY,
});
