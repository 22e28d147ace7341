import type { Builder } from '../../contracts/builder.ts';
import { packZip } from '../../disk/pack.ts';
import { throwProblems } from '../../problems/errors.ts';
import { buildLayer } from './layer-build.ts';
import { lambdaZip } from './plan.ts';
import { artifactProblems, UNZIPPED_BYTES } from './size.ts';

const remoteOf: Builder['remoteOf'] = (files, code, runtimeBytes, key) => {
  const codeBytes = Object.values(code).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const modelBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (codeBytes + modelBytes + runtimeBytes <= UNZIPPED_BYTES) return [];
  throwProblems(artifactProblems(modelBytes, key));
  return files.map(({ path, sha256, bytes }) => ({ path, sha256, bytes }));
};

export const lambdaZipBuilder: Builder = {
  kind: lambdaZip.kind,
  problems: artifactProblems,
  remoteOf,
  pack: ({ name }, code, files, to) => packZip(name, code, files, to),
  shared: {
    by: ({ name }, architecture) =>
      [lambdaZip.kind, name.toLowerCase().replaceAll(' ', '-'), architecture].join('-'),
    make: buildLayer,
  },
};
