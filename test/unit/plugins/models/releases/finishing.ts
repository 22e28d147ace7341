import type { DeployContext } from '../../../../../plugins/models/releases/deploy-context.ts';
import type { Reach } from '../../../../../plugins/models/releases/ports.ts';
import { HOST } from '../../../../fixtures/service.ts';
import type { World } from '../../../core/release/traffic.ts';

/** What the end of a deploy reaches, where releases are those of a world in memory. */
export const finishing = (
  w: World,
  { worker, ...given }: Pick<DeployContext, 'models' | 'notice'> & Pick<Reach, 'worker'>,
): DeployContext => ({
  ...given,
  service: { name: 'shop', stage: 'dev', region: 'us-east-1', dir: '/', stack: 'shop-dev' },
  progress: () => {},
  signatures: async () => new Map(),
  host: HOST,
  reach: {
    bucket: async () => 'registry',
    registry: (_, work) => work({ documents: w.world.registry, by: 'arn:aws:iam::1:user/ann' }),
    deployedBucket: async () => 'registry',
    worker,
    alias: async ({ functionName, alias }) => w.aliases.at(functionName, alias),
    exists: async () => true,
    aliases: async () => new Set(),
    functions: async () => new Set(),
    template: async () => ({}),
    neverMade: async () => false,
    rolledBack: async () => false,
    lacks: async () => ({ problems: [], lines: [] }),
    traffic: async () => ({ unknown: 'nobody counted it' }),
    clock: () => w.clock.now,
    pause: async () => {},
  },
});
