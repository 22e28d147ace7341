/** Where objects of Kubernetes, and the template’s endpoint, have their name. */
const NAMES = /^(?: {2}name| {6}EndpointName): (.+)$/m;

/**
 * The first line of files that earlier versions exported does not say which model and stage they are of.
 * Their objects have it as their name, but for the list of them.
 *
 * @param texts of one folder
 * @param name `exportedName` of the model
 */
export function areOf(name: string, texts: readonly string[]): boolean {
  const names = texts.flatMap((text) => NAMES.exec(text)?.[1] ?? []);
  return names.length > 0 && names.every((one) => one === name);
}
