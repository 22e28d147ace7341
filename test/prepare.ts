/**
 * What the tests download, all of it at once: `npm test` starts this beside style, types and the pure tests.
 * Whoever needs a part sooner waits for its lock, or makes it; so nothing here has to succeed for a test to
 * say what is wrong.
 */
import { realData } from '../bench/drift/real-data.ts';
import { awsPython } from '../local-aws/aws-python.ts';
import { referencePython } from './aws-reference/reference.ts';
import { checkovPython } from './golden/checkov.ts';
import { frameworks, install } from './golden/frameworks.ts';
import { compilers, installPlugins, offline, packagers } from './golden/other-plugins.ts';
import { pythonBin } from './python.ts';

const parts = [
  awsPython(console.error),
  pythonBin(),
  referencePython(),
  realData(),
  checkovPython(),
  ...frameworks.map(install),
  ...[packagers, compilers, offline].map(installPlugins),
];
for (const part of await Promise.allSettled(parts)) {
  if (part.status === 'fulfilled') continue;
  console.error(part.reason instanceof Error ? part.reason.message : part.reason);
  process.exitCode = 1;
}
