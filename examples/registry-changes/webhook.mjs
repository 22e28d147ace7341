import { createHmac, timingSafeEqual } from 'node:crypto';
import { CodeBuildClient, StartBuildCommand } from '@aws-sdk/client-codebuild';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/**
 * Takes webhooks of MLflow, checks that MLflow signed them, and starts one build for each.
 * https://mlflow.org/docs/latest/ml/webhooks/
 *
 * MLflow sends a delivery again where this does not answer or fails. CodeBuild takes one token for one build for
 * five minutes, so nothing has to be kept here: a delivery that is older than that is refused.
 * https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
 */

/** Seconds that a delivery may be old, and that MLflow's clock may be ahead: together less than five minutes. */
const OLDEST = 240;
const AHEAD = 30;
/** MLflow's deliveries have some hundred bytes. */
const MOST_BYTES = 64 * 1024;
/** Milliseconds; a secret that was changed is taken after so long. */
const SECRET_KEPT = 60_000;

const builds = new CodeBuildClient();
const secrets = new SecretsManagerClient();

export async function handler(event) {
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (body.length > MOST_BYTES) return answer(413, { error: 'The body is too large.' });
  const delivery = signedDelivery(event.headers ?? {}, body, await secret(), Date.now() / 1000);
  // One answer for everything that is wrong: whoever tries learns nothing.
  if (delivery === undefined) return answer(401, { error: 'The delivery is not signed, or too old.' });
  let told;
  try {
    told = JSON.parse(body.toString());
  } catch {
    return answer(400, { error: 'The body is no JSON.' });
  }
  const { name, alias, version } = told?.data ?? {};
  const isOurs =
    told?.entity === 'model_version_alias' &&
    told.action === 'created' &&
    process.env.ALIASES.split(' ').includes(`${name}@${alias}`);
  if (!isOurs) return answer(200, { build: null });
  try {
    const { build } = await builds.send(
      new StartBuildCommand({
        projectName: process.env.PROJECT,
        idempotencyToken: `mlflow-${delivery}`,
      }),
    );
    console.log(JSON.stringify({ delivery, name, alias, version, build: build.id }));
    return answer(202, { build: build.id });
  } catch (error) {
    console.error(JSON.stringify({ delivery, name, alias, version, error: error.name }));
    // MLflow sends it again.
    return answer(503, { error: 'The build was not started.' });
  }
}

/**
 * `x-mlflow-signature` is `v1,` and in base64 the HMAC-SHA256 of `<delivery id>.<timestamp>.<body>`, over the bytes as they came.
 *
 * @param now seconds
 * @returns the id of the delivery; undefined where a header is missing or wrong, or it is too old
 */
export function signedDelivery(headers, body, secret, now) {
  const of = (name) => headers[`x-mlflow-${name}`] ?? '';
  const [id, timestamp] = [of('delivery-id'), of('timestamp')];
  if (!/^[\w-]{1,64}$/.test(id) || !/^\d{1,12}$/.test(timestamp)) return undefined;
  const age = now - Number(timestamp);
  if (age > OLDEST || age < -AHEAD) return undefined;
  const [, given] = /^v1,([A-Za-z0-9+/]{43}=)$/.exec(of('signature')) ?? [];
  if (given === undefined) return undefined;
  const right = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest();
  return timingSafeEqual(Buffer.from(given, 'base64'), right) ? id : undefined;
}

let known;
async function secret() {
  if (known === undefined || Date.now() - known.at > SECRET_KEPT) {
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: process.env.SECRET }));
    // An empty one would let everybody in.
    if (!SecretString) throw new Error('The secret is empty.');
    known = { at: Date.now(), value: SecretString };
  }
  return known.value;
}

const answer = (statusCode, value) => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});
