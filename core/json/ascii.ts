/**
 * JSON in which nothing is beyond ASCII: CloudFormation gives a template back with question marks in place of
 * all else. https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/814
 */
export const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
