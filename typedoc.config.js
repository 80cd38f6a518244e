/** The reference, from the doc comments of everything that a door of the package shows. */
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const doors = Object.values(manifest.exports).filter(({ types }) => types !== undefined);

export default {
  name: 'rxraft',
  entryPoints: doors.map(({ types }) => types.replace('./dist/', '').replace(/\.d\.ts$/, '.ts')),
  readme: 'README.md',
  out: 'docs/reference',
  excludePrivate: true,
  validation: { notExported: false, invalidLink: true },
};
