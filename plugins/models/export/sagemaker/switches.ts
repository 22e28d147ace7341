/** Parameters of the template that switch something off for once. */
export const SWITCHES = { scaling: 'Scaling', rollback: 'Rollback' } as const;
export const SWITCH_ON = 'enabled';
export const SWITCH_OFF = 'disabled';

export const switchOf = (Description: string) => ({
  Type: 'String',
  Default: SWITCH_ON,
  AllowedValues: [SWITCH_ON, SWITCH_OFF],
  Description,
});

export const isOn = (name: string) => ({ 'Fn::Equals': [{ Ref: name }, SWITCH_ON] });

/** What deployments name of them: a value that is not named stays as it is in the stack. */
export const SWITCHED_ON = Object.values(SWITCHES).map((name) => `${name}=${SWITCH_ON}`);

/**
 * What deploys the template, at first and later.
 *
 * @param values of parameters that have none of their own
 */
export const deployCommand = (region: string, stack: string, values: readonly string[]): string =>
  `aws cloudformation deploy ${region} --template-file template.yaml --stack-name ${stack} --capabilities CAPABILITY_IAM --parameter-overrides ${[...SWITCHED_ON, ...values].join(' ')}`;

/** For `--parameters` of an update of the stack: without scaling, and all else as it is. */
export const withoutScaling = (parameters: readonly string[]): readonly string[] => [
  `ParameterKey=${SWITCHES.scaling},ParameterValue=${SWITCH_OFF}`,
  ...parameters
    .filter((name) => name !== SWITCHES.scaling)
    .map((name) => `ParameterKey=${name},UsePreviousValue=true`),
];
