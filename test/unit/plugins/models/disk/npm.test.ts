import { describe, expect, it } from 'vitest';
import { npmStart } from '../../../../../plugins/models/disk/npm.ts';

const ASKED = ['pack', 'a@1', '--pack-destination', 'C:\\Users\\Ada Lovelace\\Temp'];

describe('npm', () => {
  it('is started without a shell where it says where it is, and where it is a program', () => {
    const cli = '/usr/lib/node_modules/npm/bin/npm-cli.js';
    for (const platform of ['linux', 'win32'] as const)
      expect(npmStart(ASKED, { platform, cli })).toEqual({
        ...{ command: process.execPath, args: [cli, ...ASKED] },
        shell: false,
      });
    expect(npmStart(ASKED, { platform: 'darwin', cli: undefined })).toEqual({
      ...{ command: 'npm', args: ASKED, shell: false },
    });
  });

  it('is a script of a shell on Windows, which would take a path with a space for two words', () => {
    const { args, shell } = npmStart(ASKED, { platform: 'win32', cli: '/opt/yarn/yarn.js' });
    expect({ shell, args }).toEqual({
      shell: true,
      args: ['"pack"', '"a@1"', '"--pack-destination"', '"C:\\Users\\Ada Lovelace\\Temp"'],
    });
  });
});
