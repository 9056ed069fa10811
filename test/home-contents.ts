// The list of what a home holds, as docs/operate.md tells people.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from './source-text.ts'

export interface ListedInHome {
  /** Below the home: a file, or a folder with `/` at its end; NAMESPACE stands for any name. */
  readonly place: string
  /** What a backup takes of it, in words; begins with "no" where it takes nothing. */
  readonly backup: string
}

export function listedInHome(): ListedInHome[] {
  const text = readFileSync(join(repositoryRoot, 'docs', 'operate.md'), 'utf8')
  const table = text.slice(text.indexOf('| in the home |'), text.indexOf('## Versions'))
  const rows = [...table.matchAll(/^\| `([^`]+)` \| [^|]+ \| ([^|]+) \|$/gm)]
  return rows.map(([, place, backup]) => ({ place, backup }))
}

/** The place of the list in which a file lies, the deepest one; undefined where it is in none. */
export function placeOf(file: string, rows: readonly ListedInHome[]): string | undefined {
  const within = rows.filter(({ place }) => {
    const pattern = place
      .replaceAll('.', String.raw`\.`)
      .replace('NAMESPACE', '[^/]+')
      .replace('*', '[^/]*')
    return new RegExp(`^${pattern}${place.endsWith('/') ? '' : '$'}`).test(file)
  })
  return within.toSorted((a, b) => b.place.length - a.place.length)[0]?.place
}
