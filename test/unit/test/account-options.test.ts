import { expect, test } from 'vitest';
import { optionsOf } from '../../account/options.ts';

const CHECKS = ['layer', 'gateway', 'batch'];
const of = (line: string) => optionsOf(line.split(' ').filter(Boolean), CHECKS);

test.each([
  ['', { yes: false, rehearse: false, clean: false }],
  ['--only layer batch --yes', { only: ['layer', 'batch'], yes: true, rehearse: false, clean: false }],
  ['--only=layer,batch --only gateway', { only: ['layer', 'batch', 'gateway'] }],
  ['--region eu-central-1 --profile=sandbox', { region: 'eu-central-1', profile: 'sandbox' }],
  ['--clean --region eu-central-1 --yes', { clean: true, region: 'eu-central-1', yes: true }],
  ['--rehearse', { rehearse: true }],
])('%s', (line, expected) => {
  expect(of(line)).toMatchObject(expected);
});

test.each([
  ['--regoin x', '--regoin is no option of npm run account; there are --only <check…>, --region <name>,'],
  ['layer', 'layer is no option'],
  ['--only', '--only needs a value, for example --only layer gateway.'],
  ['--only --yes', '--only needs a value'],
  ['--only layers', '--only: there is no check layers; there are layer, gateway, batch.'],
  ['--region', '--region needs a value, for example --region eu-central-1.'],
  ['--region a b', 'b is no option'],
  ['--yes=no', '--yes takes no value, and got no.'],
  ['--clean --rehearse', '--clean and --rehearse exclude each other'],
  ['--clean --only layer', '--clean takes no --only'],
  ['--rehearse --profile p', '--rehearse takes no --profile'],
])('%s is refused', (line, text) => {
  expect(of(line)).toContain(text);
});
