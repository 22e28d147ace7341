import { type ImageReference, referenceText } from '../../ship/oci/reference.ts';

/** An image that nobody can change any more. */
export type ImageDigest = {
  /** As files name it: `registry.example.com/models@sha256:…`. */
  readonly reference: string;
  readonly host: string;
  /** Without the host. */
  readonly repository: string;
};

/** Without its tag, which may be another image tomorrow. */
export function imageAt({ host, repository }: ImageReference, digest: string): ImageDigest {
  return { reference: referenceText({ host, repository, digest }), host, repository };
}
