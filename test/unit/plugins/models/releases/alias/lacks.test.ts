import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../../../../../plugins/models/problems/errors.ts';
import {
  isSuspect,
  type Lacks,
  lacksProblem,
} from '../../../../../../plugins/models/releases/alias/lacks.ts';
import type { Carried } from '../../../../../../plugins/models/releases/alias/permissions.ts';
import { sayOf } from '../../../../../../plugins/models/releases/session.ts';
import { type Status, statusOf } from '../../../../../../plugins/models/releases/status.ts';
import { statusText } from '../../../../../../plugins/models/releases/status-text.ts';
import { FUNCTION, tick } from '../../../../../fakes/world.ts';
import { live, type World } from '../../../../core/release/traffic.ts';

const HTTP: Carried = {
  kind: 'permission',
  logicalId: 'ChurnLambdaPermissionHttpApi',
  statement: 'shop-dev-ChurnLambdaPermissionHttpApi-1',
  command: 'aws lambda add-permission --function-name shop-dev-churn …',
};
const IMPORTED: Carried = {
  kind: 'permission',
  logicalId: 'Imported',
  statement: 'shop-dev-Imported-1',
  unresolved: 'SourceArn needs {"Fn::ImportValue":"x"}',
};
const URL_CONFIG: Carried = {
  kind: 'url',
  logicalId: 'ChurnLambdaFunctionUrl',
  command: 'aws lambda create-function-url-config …',
};
const ASYNCHRONOUS: Carried = {
  kind: 'invoke',
  logicalId: 'ChurnLambdaEvConf',
  command: 'aws lambda put-function-event-invoke-config …',
};

/** An alias that was deleted and made again by the worker. */
async function remade(): Promise<World> {
  const w = await live();
  w.aliases.byHand(FUNCTION, 'live', undefined);
  await w.send(tick());
  return w;
}

function statusIn(w: World, lacks: Lacks): Status {
  const [alias, release] = [w.alias(), w.state()];
  if (release === undefined) throw new Error('no release');
  return statusOf(
    { model: 'churn', functionName: FUNCTION, ...(alias && { alias }), release, lacks, alarms: new Map() },
    w.clock.now + 20_000,
    sayOf('churn', 'dev'),
  );
}
const textIn = (w: World, lacks: Lacks): string => statusText(statusIn(w, lacks), w.clock.now + 20_000);

describe('status of an alias that was deleted and made again', () => {
  it('says what is missing, and the commands', async () => {
    const lacks = { missing: [HTTP, IMPORTED, URL_CONFIG, ASYNCHRONOUS] };
    expect(textIn(await remade(), lacks)).toMatchInlineSnapshot(`
      "churn: ACT NOW. Callers get errors: 2 permissions, the function URL and the settings of asynchronous calls of the alias are missing, since it was deleted and made again 00:00:00 UTC (20 s ago). Version 3 has all traffic.
        to do      Add what is missing with the AWS CLI:
                   aws lambda add-permission --function-name shop-dev-churn …
                   The function URL will have another address, which callers must learn:
                   aws lambda create-function-url-config …
                   Restore the settings of asynchronous calls:
                   aws lambda put-function-event-invoke-config …
                   Imported needs a command that cannot be written here, since SourceArn needs {"Fn::ImportValue":"x"}. See its properties in the stack’s template, and add it to shop-dev-churn:live with the statement id shop-dev-Imported-1.
        traffic    version 3  ████████████████████   100 %  live
        gate       pass: it starts
        reason     the alias live was missing and was made again at version 3; permissions that it carried may be missing: "sls models status --model churn" lists what is missing, with the commands that restore it
        release    DONE, canary, begun 00:00:00 UTC (20 s ago)"
    `);
  });

  it('is well once nothing is missing', async () => {
    const w = await remade();
    expect(statusIn(w, { missing: [] })).toMatchObject({
      level: 'ok',
      summary: 'Version 3 has all traffic.',
      todo: [],
    });
  });

  it('is no emergency where only settings of asynchronous calls are missing', async () => {
    expect(statusIn(await remade(), { missing: [ASYNCHRONOUS] })).toMatchObject({
      level: 'look',
      summary: expect.stringMatching(
        /^The settings of asynchronous calls of the alias are missing, since it/,
      ),
    });
  });

  it('says where that cannot be checked, and how to', async () => {
    const lacks = { unreadable: 'User is not authorized to perform: cloudformation:GetTemplate' };
    expect(textIn(await remade(), lacks)).toMatchInlineSnapshot(`
      "churn: LOOK, not urgent. Version 3 has all traffic. The alias was deleted or made again, and whether its permissions are there cannot be checked: User is not authorized to perform: cloudformation:GetTemplate.
        to do      Check that each AWS::Lambda::Permission of the template is in \`aws lambda get-policy --function-name shop-dev-churn --qualifier live\`, or ask for the actions of the statement DeletedAlias in docs/deploy-policy.md.
        traffic    version 3  ████████████████████   100 %  live
        gate       pass: it starts
        reason     the alias live was missing and was made again at version 3; permissions that it carried may be missing: "sls models status --model churn" lists what is missing, with the commands that restore it
        release    DONE, canary, begun 00:00:00 UTC (20 s ago)"
    `);
  });
});

describe('status of an alias that is gone', () => {
  it('says how it comes back, and what will be missing then', async () => {
    const w = await live();
    w.aliases.byHand(FUNCTION, 'live', undefined);
    expect(textIn(w, { missing: [HTTP, URL_CONFIG] })).toMatchInlineSnapshot(`
      "churn: ACT NOW. The alias is gone, and callers get errors; version 3 was live.
        to do      \`sls deploy --stage dev\` makes it again.
                   Then 1 permission and the function URL will be missing, since they went with it (ChurnLambdaPermissionHttpApi, ChurnLambdaFunctionUrl): \`sls models status --model churn --stage dev\` gives the commands once the alias is there.
        gate       pass: it starts
        release    DONE, canary, begun 00:00:00 UTC (20 s ago)"
    `);
  });

  it('says no more where nothing hung on it', async () => {
    const w = await live();
    w.aliases.byHand(FUNCTION, 'live', undefined);
    expect(statusIn(w, { missing: [] }).todo).toEqual(['`sls deploy --stage dev` makes it again.']);
  });
});

describe('whether anybody looks', () => {
  it('only where the alias is gone, or was', async () => {
    const w = await live();
    const release = w.state();
    if (release === undefined) throw new Error('no release');
    expect(isSuspect(release, w.alias())).toBe(false);
    expect(isSuspect(release, undefined)).toBe(true);
    const { stable: _, ...first } = release;
    expect(isSuspect(first, undefined)).toBe(false);
    const later = (await remade()).state() ?? release;
    expect(isSuspect(later, w.alias())).toBe(true);
  });

  it('and where somebody else made it anew, which a move by others does not look like', async () => {
    const w = await live();
    const release = w.state();
    if (release === undefined) throw new Error('no release');
    const { revision = '', description = '' } = w.alias() ?? {};
    // What an update does not name stays: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html
    await w.world.aliases.update(
      FUNCTION,
      'live',
      { version: '3', weights: { 2: 0.5 }, description },
      revision,
    );
    expect(isSuspect(release, w.alias())).toBe(false);
    w.aliases.byHand(FUNCTION, 'live', undefined);
    w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: {} });
    expect(isSuspect(release, w.alias())).toBe(true);
  });
});

describe('the end of a deploy', () => {
  const release = {
    model: 'churn',
    functionName: FUNCTION,
    alias: 'live',
    remade: { at: '2026-01-01T10:00:00Z' },
  };
  const at = { stage: 'dev', region: 'us-east-1', now: Date.parse('2026-01-01T10:02:00Z') };

  it('fails with the commands', () => {
    const problem = lacksProblem({ missing: [HTTP, { ...HTTP, logicalId: 'Other' }] }, release, at);
    expect(typeof problem === 'object' && formatProblem(problem)).toMatchInlineSnapshot(`
      "models.churn: Callers get errors: 2 permissions of the alias are missing, since it was deleted and made again 10:00:00 UTC (2 min ago). Add what is missing with the AWS CLI:
      aws lambda add-permission --function-name shop-dev-churn …
      aws lambda add-permission --function-name shop-dev-churn …
      Then \`sls models status --model churn --stage dev\` finds nothing missing. [MODELS_ALIAS_PERMISSIONS]"
    `);
  });

  it('goes on where nothing is missing', () => {
    expect(lacksProblem({ missing: [] }, release, at)).toBeUndefined();
  });

  it('says where that could not be checked', () => {
    expect(lacksProblem({ unreadable: 'denied.' }, release, at)).toBe(
      'churn: The alias was deleted or made again, and whether its permissions are there cannot be checked: denied. Check that each AWS::Lambda::Permission of the template is in `aws lambda get-policy --function-name shop-dev-churn --qualifier live --region us-east-1`, or ask for the actions of the statement DeletedAlias in docs/deploy-policy.md.',
    );
  });
});
