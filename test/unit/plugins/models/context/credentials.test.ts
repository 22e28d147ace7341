import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type CredentialSource,
  credentialsFrom,
  frameworkProfile,
} from '../../../../../plugins/models/context/credentials.ts';

const source: CredentialSource = { getStage: () => 'prod' };
const none = { option: undefined, provider: undefined };
const client = { region: 'eu-central-1' };

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the framework’s credentials', () => {
  it('are taken each time as it gives them, so that it alone asks for a code or a login', async () => {
    let asked = 0;
    const given = async () => ({ accessKeyId: `key-${++asked}`, secretAccessKey: 'secret' });
    const { credentials } = credentialsFrom(
      { ...source, getAwsSdkV3Config: async () => ({ credentials: given }) },
      none,
      client,
    );
    expect(await credentials()).toEqual({ accessKeyId: 'key-1', secretAccessKey: 'secret' });
    expect(await credentials()).toMatchObject({ accessKeyId: 'key-2' });
  });

  it('of SDK v2 are waited for, with the time until which they are good', async () => {
    const expireTime = new Date(1e12);
    const own = { accessKeyId: '', secretAccessKey: '', sessionToken: '', expireTime };
    const getPromise = async (): Promise<void> =>
      void Object.assign(own, { accessKeyId: 'role', secretAccessKey: 'secret', sessionToken: 'token' });
    const { credentials } = credentialsFrom(
      { ...source, getCredentials: () => ({ credentials: Object.assign(own, { getPromise }) }) },
      none,
      client,
    );
    expect(await credentials()).toEqual({
      accessKeyId: 'role',
      secretAccessKey: 'secret',
      sessionToken: 'token',
      expiration: expireTime,
    });
  });
});

// https://github.com/serverless/serverless/blob/main/packages/serverless/lib/plugins/aws/provider.js
describe('those of serverless 4, which gives the keys themselves', () => {
  const from = (getCredentials: () => Promise<object>) =>
    credentialsFrom({ ...source, getCredentials } as CredentialSource, none, client).credentials();

  it('are taken, and asked for again in time', async () => {
    const keys = { accessKeyId: 'key', secretAccessKey: 'secret', sessionToken: undefined, accountId: '1' };
    const taken = await from(async () => keys);
    expect(taken).toEqual({ accessKeyId: 'key', secretAccessKey: 'secret', expiration: expect.any(Date) });
    const minutes = (Number(taken.expiration) - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(5);
    expect(minutes).toBeLessThan(60);
  });

  it('that there are not are told in its words', async () => {
    const refused = from(() => Promise.reject(new Error('the session has ended')));
    await expect(refused).rejects.toThrow('the session has ended');
  });
});

it('nobody is asked for those of a command that works without AWS', async () => {
  vi.stubEnv('AWS_PROD_ACCESS_KEY_ID', 'prod');
  vi.stubEnv('AWS_PROD_SECRET_ACCESS_KEY', 'secret');
  const prompt = async (): Promise<never> => expect.fail('somebody was asked');
  const { unprompted } = credentialsFrom({ ...source, getAwsSdkV3Config: prompt }, none, client);
  expect(await unprompted()).toEqual({ accessKeyId: 'prod', secretAccessKey: 'secret' });
});

describe('a profile to copy a command with', () => {
  const named = { option: undefined, provider: 'mine' };
  const profile = (environment: Readonly<Record<string, string>>, option?: string) => {
    for (const prefix of ['AWS_', 'AWS_PROD_'])
      for (const name of ['PROFILE', 'ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN'])
        vi.stubEnv(`${prefix}${name}`, '');
    vi.stubEnv('AWS_DEFAULT_PROFILE', '');
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    return frameworkProfile(source, { ...named, option });
  };
  it('is the one that the framework asks by', () => {
    expect(profile({})).toBe('mine');
    expect(profile({}, 'given')).toBe('given');
    expect(profile({ AWS_PROD_PROFILE: 'stage' })).toBe('stage');
    expect(profile({ AWS_DEFAULT_PROFILE: 'last' })).toBe('mine');
  });

  it('is none where the shell says who asks', () => {
    const keys = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
    expect(profile(keys)).toBeUndefined();
    expect(profile({ AWS_PROFILE: 'shell' })).toBeUndefined();
  });
});
