import { SFNClient, type SFNClientConfig } from '@aws-sdk/client-sfn';

export const stepFunctionsClient = (config: SFNClientConfig = {}): SFNClient => new SFNClient(config);
