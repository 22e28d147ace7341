import { errorName, errorStatus, messageOf } from '../../../../core/errors/aws-errors.ts';
import { plainText } from '../../../../core/text/plain.ts';
import { isProxyFault, PROXY_FIX } from '../../network/proxied.ts';
import { httpFault, unansweredFault } from './http-fault.ts';

/**
 * Errors that every operation may have. Those of JSON have the status 400, also where it is a refusal.
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
 */
const REFUSED =
  /^(AccessDenied|ExpiredToken|IncompleteSignature|InvalidClientTokenId|InvalidSignature|MissingAuthenticationToken|NotAuthorized|OptInRequired|UnrecognizedClient|SignatureDoesNotMatch)/;
const PASSING = /^(Throttling|TooManyRequests|RequestLimitExceeded|ServiceUnavailable|InternalFailure)/;
const ABSENT = /does not exist|not ?found|could not find|cannot find/i;

/**
 * What SageMaker's refusals are to who asked.
 *
 * @throws HttpFault; what is none of AWS's goes on as it is
 */
export function asSageMakerFault(error: unknown): never {
  if (error instanceof Error && 'problems' in error) throw error;
  const [name = 'Error', status] = [errorName(error), errorStatus(error)];
  const said = plainText(messageOf(error))
    .replace(/\s+/g, ' ')
    .slice(0, 300)
    .replace(/[.\s]+$/, '');
  const whole = said === '' || said === name ? name : `${name}: ${said}`;
  if (status === undefined) {
    // Nobody answered: without credentials nobody was asked.
    if (/Credential|Token/.test(name)) throw httpFault('refused', `is not asked: ${said}`);
    if (isProxyFault(error)) throw httpFault('wrong', `cannot be reached: ${said}`, undefined, PROXY_FIX);
    if (name === 'TimeoutError') throw httpFault('unreachable', 'does not answer in time');
    const code = error instanceof Error && 'code' in error ? String(error.code) : whole;
    throw unansweredFault(code);
  }
  if (status >= 500 || status === 429 || PASSING.test(name))
    throw httpFault('unreachable', `answers ${whole}`, status);
  if (status === 401 || status === 403 || REFUSED.test(name))
    throw httpFault('refused', `refuses it: ${whole}`, status);
  // Neither operation declares an error: what is not there is told by words.
  if (status === 404 || ABSENT.test(whole))
    throw httpFault('absent', `knows no such thing: ${whole}`, status);
  throw httpFault('wrong', `answers ${whole}`, status);
}
