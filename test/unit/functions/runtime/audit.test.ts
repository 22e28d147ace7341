import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEvent } from '../../../../core/protocol/event.ts';
import { principalOf } from '../../../../core/protocol/principal.ts';
import type { Signature } from '../../../../core/tensor/contract.ts';
import { createAudit, type Decision } from '../../../../functions/runtime/audit.ts';
import { auditBytes } from '../../../../plugins/models/plan/audit/audit.ts';

const SIGNATURE: Signature = {
  inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 30] }],
  outputs: [
    { name: 'label', datatype: 'INT64', shape: [-1] },
    { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
  ],
  omitted: [],
};
const MANIFEST = { model: 'churn', identity: 'ab'.repeat(32), signature: SIGNATURE };
const ENVIRONMENT = { AWS_LAMBDA_FUNCTION_NAME: 'shop-prod-churn', AWS_LAMBDA_FUNCTION_VERSION: '42' };
const ARN = 'arn:aws:sts::123456789012:assumed-role/checkout-prod/i-0a1b2c3d4e5f60718';
const ID = '8c4b7d9e-5f11-4d0e-9f0b-0123456789ab';

const http = (authorizer: unknown, more: object = {}): object => ({
  version: '2.0',
  rawPath: '/v2/models/churn/infer',
  requestContext: { http: { method: 'POST' }, requestId: 'Uq0xghMaoAMEJyg=', authorizer },
  headers: {},
  ...more,
});
const rest = (context: object): object => ({
  httpMethod: 'POST',
  path: '/v2/models/churn/infer',
  requestContext: { requestId: 'r', ...context },
});

function decision(event: unknown, rest: Partial<Decision> = {}): Decision {
  const request = readEvent(event, { awsRequestId: ID });
  const answer = { status: 200, headers: {}, body: '' };
  return {
    outcome: 'answered',
    status: 200,
    request,
    requestId: ID,
    counted: true,
    took: 1.2345,
    answer,
    ...rest,
  };
}
const audit = (predictions = false, environment: NodeJS.ProcessEnv = ENVIRONMENT) =>
  createAudit(MANIFEST, { predictions }, environment);

describe('who asked', () => {
  const claims = { sub: 'auth0|1', iss: 'https://issuer.example' };
  it.each([
    ['HTTP API and function URL, signed', http({ iam: { userArn: ARN, accountId: '1' } }), 'iam', ARN],
    ['HTTP API, token', http({ jwt: { claims, scopes: null } }), 'jwt', 'auth0|1'],
    ['HTTP API, Lambda authorizer', http({ lambda: { principalId: 'me', a: 1 } }), 'lambda', 'me'],
    ['REST API, signed', rest({ identity: { userArn: ARN }, authorizer: { principalId: 'x' } }), 'iam', ARN],
    ['REST API, Cognito', rest({ identity: { userArn: null }, authorizer: { claims } }), 'jwt', 'auth0|1'],
    ['REST API, Lambda authorizer', rest({ authorizer: { principalId: 'me' } }), 'lambda', 'me'],
  ] as const)('%s', (_name, event, auth, name) => {
    expect(principalOf(readEvent(event))).toEqual({ auth, name });
    expect(JSON.parse(audit()(decision(event)))).toMatchObject({ auth, principal: name });
  });

  it('is nobody where nobody says so', () => {
    const alb = {
      httpMethod: 'POST',
      path: '/',
      requestContext: { elb: {}, authorizer: { principalId: 'me' } },
    };
    const direct = { requestContext: { authorizer: { iam: { userArn: ARN } } }, inputs: [] };
    for (const event of [
      http(undefined),
      http({ lambda: null }),
      http({ jwt: { claims: {} } }),
      rest({}),
      alb,
      direct,
    ]) {
      expect(principalOf(readEvent(event))).toBeUndefined();
      expect(JSON.parse(audit()(decision(event)))).not.toHaveProperty('principal');
    }
  });

  it('is cut where it is longer than any is, and never breaks out of its line', () => {
    const long = audit()(decision(http({ iam: { userArn: 'ä'.repeat(5000) } })));
    expect(JSON.parse(long).principal).toBe('ä'.repeat(1024));
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), fc.string(), (name, id) => {
        const event = http(
          { iam: { userArn: name } },
          {
            requestContext: {
              http: { method: 'POST' },
              requestId: id,
              authorizer: { iam: { userArn: name } },
            },
          },
        );
        const line = audit()(decision(event, { code: name }));
        expect(line).toMatch(/^\{[ -~]*\}\n$/);
        const { principal = '', code } = JSON.parse(line);
        expect([principal, code]).toEqual([name, name]);
      }),
    );
  });
});

describe('a line', () => {
  it('has what an auditor needs, and ends as one', () => {
    const event = http({ iam: { userArn: ARN } });
    expect(JSON.parse(audit()(decision(event)))).toEqual({
      audit: 1,
      model: 'churn',
      function: 'shop-prod-churn',
      version: '42',
      identity: MANIFEST.identity,
      timestamp: expect.any(String),
      requestId: ID,
      id: 'Uq0xghMaoAMEJyg=',
      source: 'http',
      auth: 'iam',
      principal: ARN,
      outcome: 'answered',
      status: 200,
      ms: 1.235,
    });
  });

  it('names the level that Lambda is told to keep, as metrics do', () => {
    const levelled = { ...ENVIRONMENT, AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: 'ERROR' };
    expect(JSON.parse(audit(false, levelled)(decision({})))).toMatchObject({ level: 'ERROR' });
    expect(JSON.parse(audit()(decision({})))).not.toHaveProperty('level');
  });

  it('is as long as the plan reckons', () => {
    const event = http({ iam: { userArn: ARN } });
    const tensors = { X: { datatype: 'FP32', shape: [1, 30], data: new Float32Array(30) } } as const;
    const wanted = SIGNATURE.outputs.map((spec) => ({ spec, binary: false }));
    const asked = { id: undefined, parameters: {}, tensors, outputs: wanted };
    const outputs = {
      label: { datatype: 'INT64', shape: [1], data: BigInt64Array.of(1n) },
      probabilities: { datatype: 'FP32', shape: [1, 2], data: Float32Array.of(0.1, 0.9) },
    } as const;
    for (const predictions of [false, true]) {
      const line = audit(predictions)(decision(event, { asked, outputs }));
      const reckoned = auditBytes({ audit: { predictions } }, SIGNATURE);
      expect(Math.abs(reckoned / line.length - 1), line).toBeLessThan(0.1);
    }
    const many = { outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 1000] } as const] };
    expect(auditBytes({ audit: { predictions: true } }, many)).toBeLessThan(700);
    expect(auditBytes({}, SIGNATURE)).toBe(0);
  });
});
