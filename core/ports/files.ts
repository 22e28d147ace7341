/** What is kept of a written object beside its bytes. */
type Metadata = Readonly<Record<string, string>>;

/** The bucket that jobs write to. */
export type Files = {
  /** @returns whether it was there already, which is left as it is */
  create(key: string, body: Uint8Array | string, metadata?: Metadata): Promise<'created' | 'there'>;
  replace(key: string, body: string, etag: string | undefined): Promise<'ok' | 'changed'>;
  read(key: string): Promise<{ readonly text: string; readonly etag: string } | undefined>;
  head(key: string): Promise<{ readonly bytes: number; readonly metadata: Metadata } | undefined>;
  keys(prefix: string): Promise<readonly string[]>;
  remove(key: string): Promise<void>;
};

/** What is known of an object before it is read. */
export type Head = {
  readonly etag: string;
  readonly versionId?: string;
  readonly bytes: number;
  /** ISO 8601. */
  readonly modified: string;
};

export type Located = {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
};

/** One range of a file's bytes, from wherever they are. */
export type ReadRange = (sha256: string, start: number, end: number) => Promise<Uint8Array>;
