import type { Resource } from '../../contracts/cloudformation.ts';
import { type ExportGiven, exportedName } from '../shared/given.ts';
import type { EcrRepository } from './image.ts';
import { endpointLogGroup } from './names.ts';

const sub = (text: string) => ({ 'Fn::Sub': text });

/**
 * What SageMaker does for the model: fetch the image, write its log lines, count what the instances use.
 * https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createmodel-perms. It
 * reads the alarms of a deployment, too:
 * https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html. A call for some
 * of them by name is authorised as one for all: https://github.com/mattclay/aws-terminator/pull/63
 */
export function executionRole(given: ExportGiven, { account, region, name }: EcrRepository): Resource {
  const log = `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:${endpointLogGroup(given)}`;
  const alarms = `arn:\${AWS::Partition}:cloudwatch:\${AWS::Region}:\${AWS::AccountId}:alarm:*`;
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      Description: `For SageMaker and the endpoint ${exportedName(given)}`,
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'sagemaker.amazonaws.com' },
            Action: 'sts:AssumeRole',
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          },
        ],
      },
      Policies: [
        {
          PolicyName: 'endpoint',
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Action: [
                  'ecr:BatchCheckLayerAvailability',
                  'ecr:BatchGetImage',
                  'ecr:GetDownloadUrlForLayer',
                ],
                Resource: sub(`arn:\${AWS::Partition}:ecr:${region}:${account}:repository/${name}`),
              },
              { Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
              {
                Effect: 'Allow',
                Action: ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
                Resource: sub(`${log}:*`),
              },
              {
                Effect: 'Allow',
                Action: 'cloudwatch:PutMetricData',
                Resource: '*',
                Condition: { StringEquals: { 'cloudwatch:namespace': '/aws/sagemaker/Endpoints' } },
              },
              { Effect: 'Allow', Action: 'cloudwatch:DescribeAlarms', Resource: sub(alarms) },
            ],
          },
        },
      ],
    },
  };
}
