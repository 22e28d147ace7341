import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { difference } from '../ask.ts';
import { finding, type RunCheck } from '../check.ts';
import { binaryBody, inferUrl, JSON_BODY, outputsOf, type Reply, send, sendSigned } from '../http.ts';
import { quantilesText } from '../quantiles.ts';
import { ORIGIN, THROTTLE } from '../service.ts';

const CLOSE = 1e-5;
/** Requests without a pause, far beyond what is let through, so many at once. */
const FLOOD = 150;
const LANES = 25;
/** Milliseconds between two requests that shall pass. */
const APART = 1000;
const TIMED = 20;

export const gateway: RunCheck = {
  name: 'gateway',
  bullet: 'throttling, CORS and request signing at the real gateway',
  says: 'An HTTP API with IAM answers 403 without a valid signature; it answers preflights by its own CORS settings, passes binary bodies on in base64, and answers 429 beyond a route’s rate and burst, as far as it can.',
  page: 'https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html',
  minutes: 5,
  use: { httpRequest: 250, lambdaRequest: 250, lambdaGbSecond: 200, transferGb: 0.001 },
  run: async (scene) => {
    const { known, signal } = scene;
    const url = await inferUrl(scene);
    const json = Buffer.from(JSON.stringify(known.request));
    const binary = binaryBody(known.request);
    const spaced = async (work: () => Promise<Reply>): Promise<Reply> => {
      await pause(APART, undefined, { signal });
      return work();
    };
    const isRight = (reply: Reply): boolean => difference(outputsOf(reply), known) <= CLOSE;
    const unsigned = await spaced(() => send(url, 'POST', JSON_BODY, json));
    const wrong = await spaced(() => sendSigned(scene, url, JSON_BODY, json, true));
    const plain = await spaced(() => sendSigned(scene, url, { ...JSON_BODY, origin: ORIGIN }, json));
    const packed = await spaced(() =>
      sendSigned(scene, url, { ...JSON_BODY, 'content-encoding': 'gzip' }, gzipSync(json)),
    );
    const bytes = await spaced(() => sendSigned(scene, url, binary.headers, binary.body));
    const preflight = await spaced(() =>
      send(url, 'OPTIONS', {
        origin: ORIGIN,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,authorization',
      }),
    );
    const timed: Reply[] = [];
    for (let i = 0; i < TIMED; i += 1)
      timed.push(await spaced(() => sendSigned(scene, url, JSON_BODY, json)));
    // What the gateway itself refuses is quick.
    const times = timed.filter(isRight).map(({ ms }) => ms);
    const flood: Reply[] = [];
    let left = FLOOD;
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        flood.push(await sendSigned(scene, url, JSON_BODY, json));
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    const count = (status: number): number => flood.filter((reply) => reply.status === status).length;
    const allowed = (reply: Reply): boolean => reply.headers.get('access-control-allow-origin') === ORIGIN;
    const cases: readonly (readonly [string, boolean])[] = [
      [`unsigned ${unsigned.status}`, unsigned.status === 403],
      [`signed with another secret ${wrong.status}`, wrong.status === 403],
      [`JSON ${plain.status}`, isRight(plain)],
      [`gzip ${packed.status}`, isRight(packed)],
      [`binary ${bytes.status}`, isRight(bytes)],
      [`preflight ${preflight.status}`, preflight.status < 300 && allowed(preflight)],
      [`the answer’s CORS header ${allowed(plain) ? 'there' : 'missing'}`, allowed(plain)],
      [`one a second: ${times.length} of ${TIMED} right`, times.length === TIMED],
      [
        `${FLOOD} without a pause, of which ${THROTTLE.burst} and ${THROTTLE.rate} a second may pass: ${count(200)} with 200, ${count(429)} with 429`,
        count(429) > 0 && count(200) + count(429) === FLOOD,
      ],
    ];
    const off = cases.filter(([, isSo]) => !isSo).map(([text]) => text);
    return finding(
      off.length === 0,
      `${cases.map(([text]) => text).join('; ')}. Signed requests here took ${quantilesText(times)}.${off.length > 0 ? ` Not as expected: ${off.join('; ')}.` : ''}`,
    );
  },
};
