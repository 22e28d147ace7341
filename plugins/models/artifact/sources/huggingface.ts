import type { ArtifactSource } from '../../contracts/sources/artifact-source.ts';

/** A file of a repository of Hugging Face, at a commit: a branch or a tag may be another file tomorrow. */
export const huggingFaceSource: ArtifactSource = {
  scheme: 'hf',
  forms: [
    {
      shown: '`hf://org/repo@<commit>/path.onnx` of Hugging Face',
      write: 'hf://org/repo@<40 digits of a commit>/path.onnx of Hugging Face',
    },
  ],
  fault: (reference) => {
    const { repo, revision, path } = placeOf(reference);
    const fix = 'Write `hf://org/repo@<40 digits of a commit>/path.onnx`.';
    if (repo === undefined || path === undefined)
      return { message: 'names no file of a repository at a commit.', fix };
    if (!/^[0-9a-f]{40}$/.test(revision ?? ''))
      return {
        message: `names ${revision === '' ? 'no commit' : revision}, which is no commit: what a branch or a tag stands for moves.`,
        fix,
      };
    if (!path.endsWith('.onnx') || path.split('/').some((part) => part === '' || /^\.+$/.test(part)))
      return { message: `names ${path}, which is no .onnx file below the repository.`, fix };
    return undefined;
  },
  path: () => undefined,
  resolve: async (reference, context) =>
    (await import('../fetch/huggingface.ts')).resolveHubFile(reference, wholePlaceOf(reference), context),
  fetch: async (resolved, beside, context) =>
    (await import('../fetch/huggingface.ts')).fetchHubFile(
      resolved,
      wholePlaceOf(resolved.reference),
      beside,
      context,
    ),
};

const PLACE = /^hf:\/\/(?<repo>[\w.-]+\/[\w.-]+)@(?<revision>[^/\p{Cc}]*)\/(?<path>[^\\\p{Cc}]+)$/u;

const placeOf = (
  reference: string,
): Partial<Readonly<Record<'repo' | 'revision' | 'path', string | undefined>>> =>
  PLACE.exec(reference)?.groups ?? {};

function wholePlaceOf(reference: string) {
  const { repo = '', revision = '', path = '' } = placeOf(reference);
  return { repo, revision, path };
}
