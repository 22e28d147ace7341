import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/**
 * SageMaker's Model Registry as far as versions are read from it. What it answers is held against what moto
 * answered (test/fixtures/sagemaker).
 */
export type FakeSageMaker = {
  readonly address: string;
  readonly group: (name: string) => void;
  /** Registers the next version of a group, approved by default. @returns its number */
  readonly register: (group: string, container: object, more?: RegisteredMore) => number;
  /** @param listed what it is listed as, where that differs: it changes between both questions */
  readonly approve: (group: string, version: number, status: string, listed?: string) => void;
  /** Makes it the registry of another account. */
  readonly account: (id: string) => void;
  /** What every question is answered with, until it is calm again. */
  readonly trouble: (fault: SageMakerTrouble) => void;
  readonly calm: () => void;
  /** Operations that were asked for since it was last read. */
  readonly asked: () => readonly string[];
  readonly stop: () => Promise<void>;
};

/** Whatever `DescribeModelPackage` answers, for example `ModelApprovalStatus`. */
type RegisteredMore = Readonly<Record<string, unknown>>;

type SageMakerTrouble =
  | { readonly kind: 'closed' }
  | { readonly kind: 'refuses'; readonly status: number; readonly code: string; readonly message: string };

/** Whose registry it is. */
let account = '000000000000';
const arnOf = (group: string, version?: number): string =>
  version === undefined
    ? `arn:aws:sagemaker:us-east-1:${account}:model-package-group/${group}`
    : `arn:aws:sagemaker:us-east-1:${account}:model-package/${group}/${version}`;

type Version = {
  group: string;
  listed?: string;
  version: number;
  made: number;
  container: object;
  more: RegisteredMore;
};
type Refusal = { readonly status: number; readonly code: string; readonly message: string };

export async function fakeSageMaker(): Promise<FakeSageMaker> {
  const groups = new Set<string>();
  const versions: Version[] = [];
  let trouble: SageMakerTrouble | undefined;
  let asked: string[] = [];
  const answers: Readonly<Record<string, (asked: Asked) => object>> = {
    ListModelPackages: ({
      ModelPackageGroupName: name = '',
      ModelApprovalStatus: wanted,
      NextToken = '0',
    }) => {
      const group = name.replace(/^arn:.*\//, '');
      // A group that is not there has an empty list, too.
      const found = versions
        .filter((one) => one.group === group && (wanted === undefined || statusOf(one) === wanted))
        .sort((a, b) => b.made - a.made);
      // AWS may answer with an empty page before the first that has something.
      const from = Number(NextToken);
      const page = from === 0 ? [] : found.slice(from - 1, from);
      return {
        ModelPackageSummaryList: page.map(summaryOf),
        ...(from < found.length && { NextToken: String(from + 1) }),
      };
    },
    DescribeModelPackageGroup: ({ ModelPackageGroupName: name = '' }) => {
      if (!groups.has(name)) throw absent(name);
      return {
        ModelPackageGroupName: name,
        ModelPackageGroupArn: arnOf(name),
        CreationTime: TIME,
        ModelPackageGroupStatus: 'Completed',
      };
    },
    DescribeModelPackage: ({ ModelPackageName: arn = '' }) => {
      const found = versions.find((one) => arnOf(one.group, one.version) === arn);
      if (found === undefined)
        throw { status: 400, code: 'ValidationException', message: `Model package ${arn} not found` };
      return {
        ...summaryOf(found),
        InferenceSpecification: {
          Containers: [found.container],
          SupportedContentTypes: ['application/json'],
          SupportedResponseMIMETypes: ['application/json'],
        },
        ModelPackageStatusDetails: { ValidationStatuses: [], ImageScanStatuses: [] },
        CertifyForMarketplace: false,
        ...found.more,
      };
    },
  };
  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).replace('SageMaker.', '');
    asked.push(operation);
    const body = await text(request);
    if (trouble?.kind === 'closed') {
      response.destroy();
      return;
    }
    if (trouble?.kind === 'refuses') {
      refuse(response, trouble);
      return;
    }
    try {
      const answer = answers[operation]?.(JSON.parse(body)) ?? {};
      response.writeHead(200, { 'content-type': TYPE }).end(JSON.stringify(answer));
    } catch (error) {
      refuse(response, error as Refusal);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const find = (group: string, version: number): Version | undefined =>
    versions.find((one) => one.group === group && one.version === version);
  return {
    address: `http://127.0.0.1:${port}`,
    group: (name) => void groups.add(name),
    register: (group, container, more = {}) => {
      groups.add(group);
      const version = versions.filter((one) => one.group === group).length + 1;
      versions.push({ group, version, made: versions.length, container, more });
      return version;
    },
    approve: (group, version, status, listed) => {
      const found = find(group, version);
      if (found === undefined) return;
      found.more = { ...found.more, ModelApprovalStatus: status };
      if (listed !== undefined) found.listed = listed;
    },
    account: (id) => {
      account = id;
    },
    trouble: (fault) => {
      trouble = fault;
    },
    calm: () => {
      trouble = undefined;
    },
    asked: () => {
      const found = asked;
      asked = [];
      return found;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

type Asked = Readonly<Partial<Record<string, string>>>;

const TYPE = 'application/x-amz-json-1.1';
const TIME = 1_795_803_565;

const statusOf = ({ listed, more }: Version): unknown => listed ?? more.ModelApprovalStatus ?? 'Approved';

const summaryOf = (one: Version) => ({
  ModelPackageGroupName: one.group,
  ModelPackageVersion: one.version,
  ModelPackageArn: arnOf(one.group, one.version),
  CreationTime: TIME + one.made,
  ModelPackageStatus: 'Completed',
  ModelApprovalStatus: statusOf(one),
});

const absent = (group: string): Refusal => ({
  status: 400,
  code: 'ValidationException',
  message: `ModelPackageGroup ${arnOf(group)} does not exist.`,
});

function refuse(response: ServerResponse, { status, code, message }: Refusal): void {
  response
    .writeHead(status, { 'content-type': TYPE, 'x-amzn-errortype': code })
    .end(JSON.stringify({ __type: code, Message: message }));
}
