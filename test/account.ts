/**
 * `npm run account`: for who has an AWS account. Deploys the demo under a name of its own, runs a check for
 * each line of docs/not-yet-on-aws.md, writes docs/account.md and removes everything. It asks before it
 * spends.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHECKS } from './account/checks.ts';
import { clean } from './account/clean.ts';
import { optionsOf } from './account/options.ts';
import { rehearse } from './account/rehearse.ts';
import { EXIT, run } from './account/run.ts';
import { speakOn } from './account/say.ts';
import { statesIn } from './account/state.ts';

const file = fileURLToPath(import.meta.url);
const root = dirname(dirname(file));
const args = process.argv.slice(2);
speakOn();
const options = optionsOf(
  args,
  CHECKS.map(({ name }) => name),
);
if (typeof options === 'string') {
  console.error(options);
  process.exit(EXIT.notStarted);
}
if (options.profile !== undefined) {
  process.env.AWS_PROFILE = options.profile;
  // Else they would win over the profile.
  for (const key of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])
    delete process.env[key];
}
if (options.region !== undefined) process.env.AWS_REGION = options.region;
const states = statesIn(join(root, '.local', 'account'));
if (options.rehearse)
  process.exitCode = await rehearse(file, [...args.filter((arg) => arg !== '--rehearse'), '--yes']);
else
  process.exitCode = await (options.clean ? clean(states, options) : run(root, states, options)).catch(
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      console.error('Something may be left: npm run account -- --clean');
      return EXIT.left;
    },
  );
