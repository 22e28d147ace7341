import type { Builder } from '../../contracts/builder.ts';
import { keepCode } from '../../disk/pack.ts';
import { throwProblems } from '../../problems/errors.ts';
import { lambdaImage } from './plan.ts';
import { imageProblems, startNotice } from './size.ts';

const pack: Builder['pack'] = async (_, code, files) => {
  const content = [...(await keepCode(code)), ...files];
  const bytes = content.reduce((sum, entry) => sum + entry.bytes, 0);
  // How many are uploaded shows once the image’s layers are packed.
  return { content, zipBytes: 0, bytes };
};

export const lambdaImageBuilder: Builder = {
  kind: lambdaImage.kind,
  problems: imageProblems,
  remoteOf: (files, _code, _runtimeBytes, key) => {
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    throwProblems(imageProblems(bytes, key));
    return [];
  },
  pack,
  notice: startNotice,
};
