import { type Commented, yamlText } from '../shared/commented.ts';
import {
  auditWords,
  EXPORT_PORT,
  type ExportedFiles,
  type ExportGiven,
  exportedName,
  leftOnLambda,
  preloadWords,
  START_SECONDS,
  scaleOf,
  variableNames,
} from '../shared/given.ts';
import { hostMemory, memoryNote } from '../shared/worker-memory.ts';
import { endpointAlarms } from './alarms.ts';
import { type EcrRepository, ecrRepository } from './image.ts';
import { INSTANCE_CPUS, sageMakerInstance } from './instances.ts';
import { endpointLogGroup, VARIANT, variantDimensions } from './names.ts';
import { executionRole } from './role.ts';
import { deployCommand, isOn, SWITCH_OFF, SWITCH_ON, SWITCHES, switchOf } from './switches.ts';

/**
 * Percent, and seconds; less than 10 % would hide from an alarm at the 95th percentile.
 * https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-canary.html
 */
const CANARY = { least: 10, most: 50, longest: 3600 } as const;

/** Seconds for which the old fleet stays after all traffic is on the new one. */
const TERMINATION = 300;
/** Seconds that two fleets may take to start, beside what is waited. */
const STARTING = 1800;

/** Seconds after more, and after fewer instances. */
const COOLDOWN = { out: 60, in: 300 } as const;

/** Days, where `provider.logRetentionInDays` says nothing. */
const RETENTION = 30;

/**
 * Characters of a variable’s value:
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html
 */
const VALUE = 1024;

/**
 * A model as a template of CloudFormation.
 *
 * @throws Error where SageMaker could not take it, which was to be asked before: a fault of ours
 */
export function sageMakerFiles(given: ExportGiven): ExportedFiles {
  const { host, image, memory, model } = given;
  const repository = ecrRepository(image, host.region);
  const instance = sageMakerInstance(memory, model.architecture);
  if ('wrong' in repository || instance === undefined) throw new Error('SageMaker takes no such model.');
  return { 'template.yaml': yamlText(template(given, repository, instance)) };
}

function template(given: ExportGiven, repository: EcrRepository, instance: string): Commented {
  const { cpu, host, image, memory, model } = given;
  const name = exportedName(given);
  const variables = variableNames(given);
  const alarms = endpointAlarms(given);
  const canary = canaryOf(given);
  const { min, max } = scaleOf(model, INSTANCE_CPUS);
  const retention = host.provider.logRetentionInDays;
  return {
    head: [
      `The model ${model.name} of the service ${host.service}, stage ${host.stage}, as an endpoint of SageMaker. It is a stack of its own: \`${deployCommand(`--region ${host.region}`, `${name}-sagemaker`, variables.map(askedValue))}\`.`,
      `IAM decides who may ask, as on Lambda: sagemaker:InvokeEndpoint on the endpoint. Stays on Lambda, and is not done here: ${leftOnLambda(model).join('; ')}. SageMaker has a canary and a rollback of its own, below.`,
      ...auditWords(model),
      ...preloadWords(given),
      'Not run on AWS by the project: it is held against cfn-lint and a local SageMaker that starts no container.',
    ],
    value: {
      AWSTemplateFormatVersion: '2010-09-09',
      Description: `The model ${model.name} of ${host.service}-${host.stage} on SageMaker`,
      Parameters: {
        AlertsTopic: {
          Type: 'String',
          Default: topicOf(given),
          Description: 'ARN of the SNS topic that alarms go to; empty for none',
        },
        [SWITCHES.scaling]: switchOf('Whether the number of instances follows the use of processors'),
        [SWITCHES.rollback]: switchOf('Whether an alarm takes a deployment back'),
        ...Object.fromEntries(
          variables.map((variable) => [
            parameterOf(variable),
            {
              Type: 'String',
              NoEcho: true,
              MaxLength: VALUE,
              Description: `Value of the variable ${variable}`,
            },
          ]),
        ),
      },
      Conditions: {
        IsTold: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'AlertsTopic' }, ''] }] },
        IsScaled: isOn(SWITCHES.scaling),
        IsTakenBack: isOn(SWITCHES.rollback),
      },
      Resources: {
        LogGroup: {
          Type: 'AWS::Logs::LogGroup',
          Properties: {
            LogGroupName: endpointLogGroup(given),
            RetentionInDays: typeof retention === 'number' ? retention : RETENTION,
          },
        },
        ExecutionRole: executionRole(given, repository),
        Model: {
          Type: 'AWS::SageMaker::Model',
          Properties: {
            ExecutionRoleArn: { 'Fn::GetAtt': ['ExecutionRole', 'Arn'] },
            EnableNetworkIsolation: true,
            PrimaryContainer: {
              Image: image.reference,
              Environment: {
                PORT: String(EXPORT_PORT),
                ...Object.fromEntries(
                  variables.map((variable) => [variable, { Ref: parameterOf(variable) }]),
                ),
              },
            },
          },
        },
        EndpointConfig: {
          Type: 'AWS::SageMaker::EndpointConfig',
          Properties: {
            ProductionVariants: [
              {
                VariantName: VARIANT,
                ModelName: { 'Fn::GetAtt': ['Model', 'ModelName'] },
                InstanceType: instance,
                InitialInstanceCount: min,
                InitialVariantWeight: 1,
                ContainerStartupHealthCheckTimeoutInSeconds: START_SECONDS,
              },
            ],
          },
        },
        Endpoint: {
          Type: 'AWS::SageMaker::Endpoint',
          DependsOn: ['LogGroup'],
          Properties: {
            EndpointName: name,
            EndpointConfigName: { 'Fn::GetAtt': ['EndpointConfig', 'EndpointConfigName'] },
            RetainAllVariantProperties: true,
            DeploymentConfig: {
              BlueGreenUpdatePolicy: {
                TrafficRoutingConfiguration: {
                  Type: 'CANARY',
                  CanarySize: { Type: 'CAPACITY_PERCENT', Value: canary.weight },
                  WaitIntervalInSeconds: canary.bake,
                },
                TerminationWaitInSeconds: TERMINATION,
                MaximumExecutionTimeoutInSeconds: canary.bake + TERMINATION + STARTING,
              },
              AutoRollbackConfiguration: {
                'Fn::If': [
                  'IsTakenBack',
                  { Alarms: alarms.map(({ logicalId }) => ({ AlarmName: { Ref: logicalId } })) },
                  { Ref: 'AWS::NoValue' },
                ],
              },
            },
          },
        },
        ...Object.fromEntries(alarms.map(({ logicalId, resource }) => [logicalId, resource])),
        ScalableTarget: {
          Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
          Condition: 'IsScaled',
          Properties: {
            ServiceNamespace: 'sagemaker',
            ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
            ResourceId: { 'Fn::Sub': `endpoint/\${Endpoint.EndpointName}/variant/${VARIANT}` },
            MinCapacity: min,
            MaxCapacity: max,
          },
        },
        ScalingPolicy: {
          Type: 'AWS::ApplicationAutoScaling::ScalingPolicy',
          Condition: 'IsScaled',
          Properties: {
            PolicyName: `${name}-cpu`,
            PolicyType: 'TargetTrackingScaling',
            ScalingTargetId: { Ref: 'ScalableTarget' },
            TargetTrackingScalingPolicyConfiguration: {
              TargetValue: cpu * INSTANCE_CPUS,
              ScaleOutCooldown: COOLDOWN.out,
              ScaleInCooldown: COOLDOWN.in,
              CustomizedMetricSpecification: {
                Namespace: '/aws/sagemaker/Endpoints',
                MetricName: 'CPUUtilization',
                Dimensions: variantDimensions(given),
                Statistic: 'Average',
                Unit: 'Percent',
              },
            },
          },
        },
      },
      Outputs: {
        EndpointName: { Value: { 'Fn::GetAtt': ['Endpoint', 'EndpointName'] } },
        EndpointArn: {
          Description: 'What a policy allows sagemaker:InvokeEndpoint on',
          Value: { Ref: 'Endpoint' },
        },
      },
    },
    notes: {
      [`Parameters/${SWITCHES.scaling}`]: `SageMaker refuses another type of instance while there is scaling. Before such an update, update the stack with its previous template and \`${SWITCH_OFF}\`; the update itself says \`${SWITCH_ON}\`.`,
      [`Parameters/${SWITCHES.rollback}`]: `\`${SWITCH_OFF}\` for the deployment that corrects a model which fails: its alarm is on already, and would take the correction back. A value stays in the stack until another is named: say \`${SWITCH_ON}\` with the next one.`,
      ...(variables.length > 0 && {
        [`Parameters/${parameterOf(variables[0] ?? '')}`]:
          'What provider.environment and function.environment declare. Values are in no file, since they may be secrets.',
      }),
      'Resources/LogGroup':
        'Made here, so that the role need not make it, and so that it is not kept for ever.',
      'Resources/ExecutionRole':
        'Fetches this one repository, writes this one log, counts in the namespace of endpoints, reads alarms: IAM asks for all of them, also where some are read by name.',
      'Resources/Model':
        'Without a name: SageMaker’s models cannot be changed, so each image is another one.',
      'Resources/Model/Properties/EnableNetworkIsolation':
        'The container reaches nothing, AWS included: all that the model needs is in the image.',
      'Resources/Model/Properties/PrimaryContainer/Image':
        'By digest: what was tested is what runs. SageMaker takes manifests of Docker’s, and none of OCI’s.',
      'Resources/EndpointConfig/Properties/ProductionVariants/0/InstanceType': `${INSTANCE_CPUS} processors, a worker each. ${memoryNote(memory, INSTANCE_CPUS)} Together ${hostMemory(memory, INSTANCE_CPUS)} MB. Before another type, read what stands at the parameter ${SWITCHES.scaling}.`,
      'Resources/EndpointConfig/Properties/ProductionVariants/0/InitialInstanceCount':
        'Two at least: SageMaker puts them into different zones, and a canary has something to be a part of.',
      'Resources/Endpoint/Properties/RetainAllVariantProperties':
        'An update leaves the number of instances where scaling has put it.',
      'Resources/Endpoint/Properties/DeploymentConfig': `SageMaker’s own canary: the new fleet gets ${canary.weight} % of its capacity, at least one instance, for ${canary.bake / 60} minutes, long enough for each alarm to go off. An alarm takes the deployment back. Nothing compares the two fleets with each other, as the judge on Lambda does.`,
      'Resources/ErrorsAlarm':
        'By statuses of 500 and more. What the model cannot compute is answered with 422 (MODEL_FAILED, NON_FINITE_OUTPUT), which SageMaker counts with what clients do wrong: on Lambda the alarm sees it, and here none does.',
      'Resources/ScalingPolicy/Properties/TargetTrackingScalingPolicyConfiguration/TargetValue': `${cpu} % of ${INSTANCE_CPUS} processors: CloudWatch adds them up.`,
    },
  };
}

/** By the first step of the release on Lambda, within SageMaker’s bounds, and long enough for the alarms. */
function canaryOf(given: ExportGiven): { readonly weight: number; readonly bake: number } {
  const [first] = given.model.release.steps;
  const window = Math.max(...endpointAlarms(given).map((alarm) => alarm.window));
  return {
    // CloudFormation takes whole numbers.
    weight: Math.round(Math.min(CANARY.most, Math.max(CANARY.least, first?.weight ?? CANARY.least))),
    bake: Math.min(CANARY.longest, 60 * Math.ceil(Math.max(window, first?.bake ?? window) / 60)),
  };
}

/** The parameter that has a variable’s value: letters and digits; `token` and `Token` have one each. */
const parameterOf = (variable: string): string => `Variable${variable.replaceAll('_', 'Underscore')}`;

/** As a command names it, for a person to fill in. */
export const askedValue = (variable: string): string => `${parameterOf(variable)}=…`;

/** A topic is AWS’s; an e-mail address needs one, and the service’s own may not be there. */
const topicOf = ({ alerts }: ExportGiven): string => (alerts?.kind === 'topic' ? alerts.to : '');
