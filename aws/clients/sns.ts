import { SNSClient, type SNSClientConfig } from '@aws-sdk/client-sns';

export const snsClient = (config: SNSClientConfig = {}): SNSClient => new SNSClient(config);
