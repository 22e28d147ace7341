import { isObject } from '../../../../core/json/is-object.ts';

/** `{Ref: …}`, `{Fn::If: …}`: what only CloudFormation knows. */
export const isIntrinsic = (value: unknown): boolean =>
  isObject(value) && /^(Ref|Fn::\w+)$/.test(Object.keys(value).join());
