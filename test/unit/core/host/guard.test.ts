import { describe, expect, it } from 'vitest';
import { guardRefusal } from '../../../../core/host/guard.ts';

const local = { host: '127.0.0.1:8080' };

describe('who may call a server on this machine', () => {
  it.each([
    ['a program', local],
    ['a program that says localhost', { host: 'LocalHost:8080' }],
    ['its own page', { ...local, origin: 'http://127.0.0.1:8080', 'sec-fetch-site': 'same-origin' }],
    ['a person who types the address', { ...local, 'sec-fetch-site': 'none' }],
  ])('%s may', (_, headers) => expect(guardRefusal(headers, 8080)).toBeUndefined());

  it.each([
    ['a name that was made to resolve here', { host: 'evil.example:8080' }],
    ['nobody', {}],
    ['another port', { host: '127.0.0.1:8081' }],
    ['an address of the network', { host: '0.0.0.0:8080' }],
    ['a name that only starts like ours', { host: '127.0.0.1.evil.example:8080' }],
    ['another page', { ...local, origin: 'https://evil.example' }],
    ['a page without an origin of its own', { ...local, origin: 'null' }],
    ['a page on another port', { ...local, origin: 'http://127.0.0.1:3000' }],
    ['a page on our port with another name', { ...local, origin: 'http://localhost:8080' }],
    ['an image on another page', { ...local, 'sec-fetch-site': 'cross-site' }],
    ['a link of another local page', { ...local, 'sec-fetch-site': 'same-site' }],
  ])('%s may not', (_, headers) => expect(guardRefusal(headers, 8080)).toMatch(/\S/));

  it('knows that HTTP’s own port is left out', () => {
    expect(guardRefusal({ host: 'localhost' }, 80)).toBeUndefined();
    expect(guardRefusal({ host: 'localhost' }, 8080)).toMatch(/\S/);
  });
});
