// Remarks that were made twice, as rules. Each names what to write instead. A rule looks at code
// without comments and strings unless it says otherwise.
import { lineOf, separate, type SourceText } from './source-text.ts'

export interface Rule {
  readonly name: string
  /** What to do instead, said to the person whose line broke the rule. */
  readonly instead: string
  readonly applies: (path: string) => boolean
  /** Offsets of the places where the rule is broken. */
  readonly find: (file: {
    readonly path: string
    readonly text: string
    readonly source: SourceText
  }) => number[]
}

export interface Remark {
  readonly path: string
  readonly line: number
  readonly rule: string
  readonly instead: string
}

const linesMax = 500

export const rules: readonly Rule[] = [
  {
    name: 'empty-name',
    instead: 'name the file after the thing it holds',
    applies: () => true,
    find: ({ path }) => {
      const words = path
        .split('/')
        .at(-1)!
        .toLowerCase()
        .split(/[^a-z]+/)
      const empty = ['util', 'utils', 'helper', 'helpers', 'common', 'manager', 'misc']
      return words.some((word) => empty.includes(word)) ? [0] : []
    },
  },
  {
    name: 'hidden-clock',
    instead:
      'take a Clock as a parameter; for durations use monotonicUs (both in src/lib/clock.ts)',
    applies: (path) => !/^(src\/lib\/clock|web\/|build\/|bin\/)/.test(path),
    find: inCode(/\bDate\.now\s*\(|\bnew\s+Date\s*\(\s*\)|\bperformance\.now\s*\(/g),
  },
  {
    name: 'hidden-randomness',
    instead: 'take a Random (src/lib/random.ts) or newId (src/lib/ids.ts) as a parameter',
    applies: (path) => !/^(src\/lib\/(random|files)|web\/)/.test(path),
    find: inCode(/\bMath\.random\s*\(|\brandomUUID\s*\(/g),
  },
  {
    name: 'stray-print',
    instead: 'report through the log or the progress that was passed in; cli/ and bench/ print',
    applies: (path) => !/^(src\/cli\/|bench\/|build\/|bin\/)/.test(path),
    find: inCode(/\bconsole\.(log|info|debug|table)\s*\(/g),
  },
  {
    name: 'engine-mathematics',
    instead: 'use src/lib/math.ts: runtimes differ in the last bit (design invariant 3)',
    applies: (path) =>
      path.startsWith('src/') &&
      !path.startsWith('src/lib/math') &&
      !/\.(test|cases)\.ts$/.test(path),
    find: inCode(
      /\bMath\.(exp|expm1|log|log1p|log2|log10|pow|sin|cos|tan|sinh|cosh|tanh|atan2|cbrt|hypot)\b/g,
    ),
  },
  {
    name: 'long-file',
    instead: `split it by what changes together: a file has at most ${linesMax} lines`,
    applies: () => true,
    find: ({ text }) => (text.split('\n').length - 1 > linesMax ? [0] : []),
  },
  {
    name: 'test-alone',
    instead: 'remove .only',
    applies: isTest,
    find: inCode(/\b(test|it|describe)\.only\b/g),
  },
  {
    name: 'test-left-out',
    instead: 'say why in a comment on the line above, or use skipIf(!needs(…)) from test/tools.ts',
    applies: isTest,
    find: ({ source }) =>
      inCode(/\b(test|it|describe)\.(skip|todo)\b/g)({ source }).filter(
        (at) => !commentedAbove(source, at),
      ),
  },
  {
    name: 'unfinished',
    instead: 'finish it, or say what the limit is in a full sentence',
    applies: (path) => !path.startsWith('test/tidy'),
    find: ({ text }) => offsets(text, /\b(TODO|FIXME|XXX|HACK)\b/g),
  },
  {
    name: 'one-machine',
    instead: 'take the path or address from configuration; nothing names one machine',
    applies: (path) => !path.startsWith('test/tidy'),
    find: ({ text }) =>
      offsets(text, /(?<![\w.}\])-])\/(?:root|work\/(?:main|shared))(?=[/'"`\s])/g),
  },
  {
    name: 'unchecked-cast',
    instead: 'parse at the boundary, or narrow with a check; `any` switches the compiler off',
    applies: (path) => path.startsWith('src/') && !isTest(path),
    find: inCode(/\bas\s+any\b|:\s*any\b/g),
  },
]

/** All remarks on a set of files (path → text), by the given rules. */
export function tidy(
  files: ReadonlyMap<string, string>,
  applied: readonly Rule[] = rules,
): Remark[] {
  const remarks: Remark[] = []
  for (const [path, text] of files) {
    const source = separate(text)
    for (const rule of applied) {
      if (!rule.applies(path)) continue
      for (const at of rule.find({ path, text, source })) {
        remarks.push({ path, line: lineOf(text, at), rule: rule.name, instead: rule.instead })
      }
    }
  }
  return remarks
}

function inCode(pattern: RegExp) {
  return ({ source }: { readonly source: SourceText }) => offsets(source.code, pattern)
}

function offsets(text: string, pattern: RegExp): number[] {
  return [...text.matchAll(pattern)].map((match) => match.index)
}

function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path)
}

function commentedAbove(source: SourceText, at: number): boolean {
  const line = lineOf(source.code, at)
  return source.comments.some((comment) => {
    const last = lineOf(source.code, comment.start + comment.text.length)
    return last === line - 1 || last === line
  })
}
