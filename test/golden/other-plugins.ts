/**
 * Other plugins that services have, as npm gives them, in folders of their own: none of them is a dependency
 * of this project.
 */
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { installIn, root } from './frameworks.ts';

type Plugins = { readonly name: string; readonly specs: readonly string[] };

/** Those that take part in packaging. esbuild is serverless-esbuild's peer. */
export const packagers: Plugins = {
  name: 'packagers',
  specs: [
    'serverless-esbuild@1.57.2',
    'esbuild@0.28.2',
    'serverless-prune-plugin@2.1.0',
    'serverless-step-functions@3.31.2',
    'serverless-iam-roles-per-function@3.2.0',
  ],
};
/** Those that compile, or look through, every function of Node.js that they find. */
export const compilers: Plugins = {
  name: 'compilers',
  specs: [
    'serverless-webpack@5.16.2',
    'webpack@5.113.0',
    'serverless-plugin-typescript@2.1.5',
    'typescript@5.9.3',
    'serverless-plugin-include-dependencies@6.1.1',
  ],
};
/** Those that give functions of the service layers and a wrapper, or ask them every few minutes. */
export const changers: Plugins = {
  name: 'changers',
  specs: ['serverless-plugin-datadog@5.134.1', 'serverless-plugin-warmup@8.4.1'],
};
/** Its peer is Serverless 4, which must not be found by anything else here. */
export const offline: Plugins = { name: 'offline', specs: ['serverless-offline@14.8.2'] };

const folderOf = ({ name }: Plugins): string => join(root, '.local', 'other-plugins', name);

export const installPlugins = (plugins: Plugins): Promise<void> =>
  installIn(folderOf(plugins), plugins.specs);

/** Gives a service the plugins, as an install of its own would. */
export const linkPlugins = (plugins: Plugins, service: string): Promise<void> =>
  symlink(join(folderOf(plugins), 'node_modules'), join(service, 'node_modules'));
