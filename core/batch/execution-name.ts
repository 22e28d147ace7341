import { createHash } from 'node:crypto';
import { type Folder, urlOf } from './job.ts';

/**
 * What names of executions have in common that score the same content under the same key. Versions before
 * called them by the hash in the folder and a number, whatever the model and the place of the answers.
 */
export const sharedName = ({ prefix }: Folder): string => (prefix.split('/').at(-2) ?? '').slice(0, 48);

/**
 * What executions of the job in this folder are called, before their number. Step Functions takes 80
 * characters: these are 61.
 */
export const executionName = (folder: Folder): string =>
  `${sharedName(folder)}-${createHash('sha256').update(urlOf(folder)).digest('hex').slice(0, 12)}`;
