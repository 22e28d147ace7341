import type { ArtifactSource } from '../../contracts/sources/artifact-source.ts';

/** A file or a folder of this disk. */
export const fileSource: ArtifactSource = {
  scheme: 'file',
  forms: [
    { shown: 'an `.onnx` file', write: 'the path of an .onnx file' },
    { shown: 'a folder with `model.onnx` and its external data', write: 'of a folder with model.onnx' },
  ],
  fault: (reference) => {
    const [scheme, path] =
      /^(file:)(?=\/)(?:\/\/(?:localhost(?=\/))?)?(.*)$/is.exec(reference)?.slice(1) ?? [];
    if (scheme === undefined) return undefined;
    return { message: `begins with ${scheme}, which no path does.`, fix: `Write ${path || 'a path'}.` };
  },
  path: (reference) => reference,
  resolve: async (reference, context) => (await import('../fetch/file.ts')).resolveFile(reference, context),
  fetch: async (resolved, _beside, context) =>
    (await import('../fetch/file.ts')).fetchFile(resolved, context),
};
