/** What live settings promise, by what the nodes have noted: see `settings.mjs`. */

type Field = string | number | null;
type Fields = readonly Field[];

/**
 * Reports what was not kept, and gives how much there was of each. `last`: the nodes that were
 * there in the end, each of which was to be told of the last version.
 */
export function judgeSettings(
  lines: readonly Fields[],
  last: readonly string[],
  fault: (text: string) => void,
): string {
  const of = (kind: string): readonly Fields[] => lines.filter(([each]) => each === kind);
  const [told, reads, acknowledged] = [of('told'), of('read'), of('set')];
  refuseOthers([...told, ...reads, ...acknowledged], fault);
  const versions = new Map<string, number>();
  for (const [, name, version, , , run] of told) {
    const place = `${name} of ${run}`;
    const before = versions.get(place) ?? 0;
    if (Number(version) < before) fault(`${place} goes from version ${before} to ${version}`);
    versions.set(place, Number(version));
  }
  for (const [, name, version, value, , , expected] of acknowledged) {
    if (expected === null || Number(version) === Number(expected) + 1) continue;
    fault(`${value} was to replace version ${expected} of ${name}, and became ${version}`);
  }
  for (const name of new Set(acknowledged.map(([, each]) => each))) {
    const isOf = ([, each]: Fields): boolean => each === name;
    const changes = acknowledged.filter(isOf);
    refuseStale(changes, [...lines.filter(isOf).flatMap(askedOf)], fault);
    const newest = Math.max(...changes.map(([, , version]) => Number(version)));
    for (const id of last) {
      const isHere = (line: Fields): boolean => isOf(line) && line[4] === id;
      const end = told.filter(isHere).at(-1)?.[2] ?? 0;
      if (Number(end) >= newest) continue;
      fault(`${id} was told of ${name} up to ${end}, and ${newest} was acknowledged`);
    }
  }
  return [
    `settings told ${told.length}, read ${reads.length}`,
    `set ${acknowledged.length}, refused ${of('refused').length}`,
  ].join(', ');
}

/** A version has one value, and a value that somebody has set one version. */
function refuseOthers(lines: readonly Fields[], fault: (text: string) => void): void {
  const values = new Map<string, Field>();
  const versions = new Map<string, Field>();
  for (const [, name, version = null, value = null] of lines) {
    const known = values.get(`${name} ${version}`) ?? value;
    values.set(`${name} ${version}`, known);
    if (known !== value) fault(`version ${version} of ${name} is ${known}, and ${value}`);
    if (version === 0) continue;
    const first = versions.get(`${name} ${value}`) ?? version;
    versions.set(`${name} ${value}`, first);
    if (first !== version) fault(`${value} of ${name} has version ${first}, and ${version}`);
  }
}

interface AskedSetting {
  readonly begin: number;
  /** The least that it has to know. */
  readonly version: number;
  readonly what: string;
}

/** Whatever was asked of the cluster knows what was acknowledged before it began. */
function askedOf([kind, name, version, value, begin]: Fields): readonly AskedSetting[] {
  if (kind === 'told') return [];
  const own = kind === 'set' ? -1 : 0;
  const at = Number(kind === 'refused' ? value : begin);
  return [{ begin: at, version: Number(version) + own, what: `a ${kind} of ${name}` }];
}

function refuseStale(
  changes: readonly Fields[],
  asked: readonly AskedSetting[],
  fault: (text: string) => void,
): void {
  const ends = changes
    .map(([, , version, , , end]) => ({ version: Number(version), end: Number(end) }))
    .sort((a, b) => a.end - b.end);
  let at = 0;
  let newest = 0;
  for (const { begin, version, what } of [...asked].sort((a, b) => a.begin - b.begin)) {
    for (; (ends[at]?.end ?? Infinity) < begin; at += 1) {
      newest = Math.max(newest, ends[at]?.version ?? 0);
    }
    if (version < newest) fault(`${what} knows ${version}, and ${newest} was acknowledged before`);
  }
}
