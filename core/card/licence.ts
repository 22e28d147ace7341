/**
 * Identifiers of SPDX that models and data sets mostly have; any other licence is taken as its name.
 * https://spdx.org/licenses/
 */
export const SPDX: readonly string[] = [
  ...['0BSD', 'AFL-3.0', 'AGPL-3.0-only', 'AGPL-3.0-or-later', 'Apache-2.0', 'Artistic-2.0', 'BSD-2-Clause'],
  ...['BSD-3-Clause', 'BSD-3-Clause-Clear', 'BSL-1.0', 'CC-BY-2.0', 'CC-BY-2.5', 'CC-BY-3.0', 'CC-BY-4.0'],
  ...['CC-BY-NC-2.0', 'CC-BY-NC-3.0', 'CC-BY-NC-4.0', 'CC-BY-NC-ND-3.0', 'CC-BY-NC-ND-4.0'],
  ...['CC-BY-NC-SA-2.0', 'CC-BY-NC-SA-3.0', 'CC-BY-NC-SA-4.0', 'CC-BY-ND-4.0', 'CC-BY-SA-3.0'],
  ...['CC-BY-SA-4.0', 'CC0-1.0', 'CDLA-Permissive-1.0', 'CDLA-Permissive-2.0', 'CDLA-Sharing-1.0', 'ECL-2.0'],
  ...['EPL-1.0', 'EPL-2.0', 'EUPL-1.1', 'EUPL-1.2', 'GFDL-1.3-only', 'GPL-2.0-only', 'GPL-2.0-or-later'],
  ...['GPL-3.0-only', 'GPL-3.0-or-later', 'ISC', 'LGPL-2.1-only', 'LGPL-2.1-or-later', 'LGPL-3.0-only'],
  ...['LGPL-3.0-or-later', 'LPPL-1.3c', 'MIT', 'MIT-0', 'MPL-2.0', 'MS-PL', 'NCSA', 'ODbL-1.0', 'OFL-1.1'],
  ...['OSL-3.0', 'PDDL-1.0', 'PostgreSQL', 'Python-2.0', 'Unlicense', 'Zlib', 'WTFPL'],
];

const IDS = new Map(SPDX.map((id) => [id.toLowerCase(), id]));

/** @returns the identifier that it is but for its case; undefined where it is a name */
export const spdxOf = (licence: string): string | undefined => IDS.get(licence.trim().toLowerCase());

export const isSameLicence = (one: string, other: string): boolean =>
  one.trim().toLowerCase() === other.trim().toLowerCase();
