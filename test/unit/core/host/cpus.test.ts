import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpusOf, groupsIn } from '../../../../core/host/cpus.ts';

const none = { max: [], cfs: [] };

describe('processors that may be used', () => {
  it.each([
    ['all that there are, without a limit', none, 8, 8],
    ['all, where the limit says max', { ...none, max: ['max 100000\n'] }, 4, 4],
    ['the limit of cgroup v2', { ...none, max: ['200000 100000\n'] }, 8, 2],
    ['no part of one', { ...none, max: ['150000 100000'] }, 8, 1],
    ['at least one', { ...none, max: ['50000 100000'] }, 8, 1],
    ['the narrowest of the groups', { ...none, max: ['max 100000', '300000 100000', '400000 100000'] }, 8, 3],
    ['the limit of cgroup v1', { ...none, cfs: [{ quota: '400000\n', period: '100000\n' }] }, 8, 4],
    ['all, where v1 has none', { ...none, cfs: [{ quota: '-1\n', period: '100000\n' }] }, 2, 2],
    ['all, where the files are missing', { max: [''], cfs: [{ quota: '', period: '' }] }, 2, 2],
  ])('are %s', (_, texts, online, expected) => expect(cpusOf(texts, online)).toBe(expected));

  it('are a whole number from 1 to those that there are, whatever the files say', () => {
    const word = fc.oneof(fc.string(), fc.nat().map(String), fc.constantFrom('max', '-1', '0'));
    fc.assert(
      fc.property(word, word, fc.integer({ min: 1, max: 512 }), (quota, period, online) => {
        const found = cpusOf({ max: [`${quota} ${period}`], cfs: [{ quota, period }] }, online);
        expect(Number.isInteger(found) && found >= 1 && found <= online).toBe(true);
      }),
    );
  });
});

describe('the groups of a process', () => {
  it('are those of v2, from the root on', () =>
    expect(groupsIn('0::/kubepods/pod1\n')).toEqual({ v2: ['', '/kubepods', '/kubepods/pod1'], v1: [] }));

  it('are those of v1’s cpu controller, however it is mounted with others', () =>
    expect(groupsIn('9:memory:/a\n4:cpu,cpuacct:/docker/b\n0::/\n')).toEqual({
      v2: [''],
      v1: ['', '/docker', '/docker/b'],
    }));

  it('never lead out of the mount', () => expect(groupsIn('0::/../../x\n').v2).toEqual(['', '/x']));
});
