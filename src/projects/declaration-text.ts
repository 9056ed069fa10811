// Where in a project's files a feature is declared, so that the catalogue shows it as it was written.
// Found by reading the text; a declaration that is put together in some other way is shown without.
import { shapeOf, type Bracket, type SourceShape, type TextToken } from './source-shape.ts'

export interface SourceFile {
  /** Relative to the project's folder, with `/`. */
  readonly path: string
  readonly text: string
}

/** Lines of a file, from 1, both included. */
export interface LineRange {
  readonly from: number
  readonly to: number
}

export interface DeclarationPlace {
  readonly set: string
  /** Null for the set itself: the line where it begins. */
  readonly feature: string | null
  readonly file: string
  /** Rising and apart: the feature's own lines and those of the constants that it names. */
  readonly lines: readonly LineRange[]
}

/** The files that declare feature sets, and where in them each feature stands. */
export interface DeclarationText {
  readonly files: readonly SourceFile[]
  readonly places: readonly DeclarationPlace[]
}

interface NamedSet {
  readonly name: string
  readonly features: readonly { readonly name: string }[]
}

/** Constants of constants are followed no deeper than this many in all. */
const CONSTANTS_MAX = 20

/** Finds the sets and their features in the files; what is not found is left out. */
export function findDeclarations(
  files: readonly SourceFile[],
  sets: readonly NamedSet[],
): DeclarationText {
  const places: DeclarationPlace[] = []
  const read = files.map((file) => {
    const shape = shapeOf(file.text)
    return { file, shape, known: definitionsOf(shape) }
  })
  for (const set of sets) {
    for (const { file, shape, known } of read) {
      const call = callOf(set.name, shape)
      if (call === undefined) continue
      const linesOf = lineReader(file.text)
      const place = (feature: string | null, lines: readonly LineRange[]) =>
        places.push({ set: set.name, feature, file: file.path, lines })
      const first = linesOf(call.from, call.from)
      place(null, [first])
      for (const { name } of set.features) {
        const own = elementOf(name, shape, call)
        if (own === undefined) continue
        const ranges = [own, ...constantsOf(own, known, shape)].map((each) =>
          withComment(each, file.text),
        )
        place(name, merged(ranges.map(({ from, to }) => linesOf(from, to))))
      }
      break
    }
  }
  const used = new Set(places.map((place) => place.file))
  return { files: files.filter(({ path }) => used.has(path)), places }
}

interface Range {
  readonly from: number
  readonly to: number
}

/** The brackets of `featureSet('name', …)`. */
function callOf(set: string, { code, texts, brackets }: SourceShape): Bracket | undefined {
  return brackets.find(({ kind, from, to }) => {
    if (kind !== '(' || !/\bfeatureSet\s*(<[^()]*>)?\s*$/.test(code.slice(0, from))) return false
    const first = texts.find((text) => text.from > from)
    return first !== undefined && first.to < to && first.says.test(set)
  })
}

/** The element of a list in which the feature gets its name. */
function elementOf(name: string, shape: SourceShape, call: Bracket): Range | undefined {
  const named = shape.texts.filter(({ says }) => says.test(name))
  const within = named.filter(({ from, to }) => from > call.from && to < call.to)
  // A feature may be made by a function that stands outside of the set.
  const token = [within, named]
    .map((texts) => texts.filter((text) => isName(text, shape)))
    .flatMap((texts) => texts.toSorted((a, b) => b.fixed - a.fixed))[0]
  if (token === undefined) return undefined
  const list = shape.brackets.findLast(
    ({ kind, from, to }) => kind === '[' && from < token.from && token.to < to,
  )
  if (list === undefined) return lineAround(token, shape)
  const before = list.commas.findLast((comma) => comma < token.from) ?? list.from
  const after = list.commas.find((comma) => comma > token.to) ?? list.to - 1
  return trimmed({ from: before + 1, to: after }, shape)
}

/** Whether a text stands within the brackets of `.as(…)`. */
function isName(token: TextToken, { code, brackets }: SourceShape): boolean {
  return brackets.some(
    ({ kind, from, to }) =>
      kind === '(' && from < token.from && token.to < to && /\.\s*as\s*$/.test(code.slice(0, from)),
  )
}

function lineAround(token: TextToken, { code }: SourceShape): Range {
  const end = code.indexOf('\n', token.to)
  return { from: code.lastIndexOf('\n', token.from) + 1, to: end < 0 ? code.length : end }
}

function trimmed({ from, to }: Range, { code }: SourceShape): Range {
  const text = code.slice(from, to)
  return { from: from + (text.length - text.trimStart().length), to: from + text.trimEnd().length }
}

interface Definition extends Range {
  readonly name: string
  /** The innermost brackets around it; undefined at the top of the file. */
  readonly scope: Bracket | undefined
}

/**
 * The constants and functions of the file that a range names, and those that these name. Sources and
 * labels are declarations of their own, with pages of their own.
 */
function constantsOf(range: Range, known: readonly Definition[], { code }: SourceShape): Range[] {
  const found = new Set<Definition>()
  const queue: Range[] = [range]
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const user = next
    const named = code.slice(user.from, user.to).matchAll(/(?<!(?<!\.\.)\.|[\w$])[A-Za-z_$][\w$]*/g)
    for (const [name] of named) {
      const definition = known.findLast((each) => each.name === name && isSeenFrom(user, each))
      if (definition === undefined || found.size === CONSTANTS_MAX) continue
      if (found.has(definition) || contains(definition, range)) continue
      if (/=\s*(source|labels)\s*\(/.test(code.slice(definition.from, definition.to))) continue
      found.add(definition)
      queue.push(definition)
    }
  }
  return [...found].filter((each) => !contains(range, each))
}

const contains = (outer: Range, inner: Range): boolean =>
  outer.from <= inner.from && inner.to <= outer.to

const isSeenFrom = (user: Range, { scope }: Definition): boolean =>
  scope === undefined || contains(scope, user)

/** In the order of the file, so that of several that are seen the last is the innermost. */
function definitionsOf(shape: SourceShape): Definition[] {
  const opening = new Map(shape.brackets.map((bracket) => [bracket.from, bracket]))
  const known = shape.code.matchAll(/\b(?:const|function)\s+([A-Za-z_$][\w$]*)/g)
  return [...known].map(({ index: from, 1: name }) => {
    const scope = shape.brackets.findLast((each) => each.from < from && from < each.to)
    return { name, from, to: endOfStatement(from, shape, opening), scope }
  })
}

/** A statement goes on while brackets are open, or the next line begins as only a continuation does. */
function endOfStatement(
  from: number,
  { code }: SourceShape,
  opening: ReadonlyMap<number, Bracket>,
): number {
  for (let at = from; at < code.length; at++) {
    const bracket = opening.get(at)
    if (bracket !== undefined) at = bracket.to - 1
    else if (code[at] === ';' || code[at] === '}') return at
    else if (code[at] === '\n') {
      const goesOn = /^\s*[.?:+\-*/|&<>=]/.test(code.slice(at + 1, at + 200))
      const unfinished = /[=(+\-*/|&?:]\s*$/.test(code.slice(from, at))
      if (!goesOn && !unfinished) return at
    }
  }
  return code.length
}

/** Comments directly above belong to what they stand over. */
function withComment({ from, to }: Range, text: string): Range {
  const lines = text.slice(0, from).split('\n')
  let above = lines.length - 1
  while (above > 0 && /^\s*(\/\/|\/?\*)/.test(lines[above - 1])) above--
  return { from: lines.slice(0, above).join('\n').length + (above > 0 ? 1 : 0), to }
}

function lineReader(text: string): (from: number, to: number) => LineRange {
  const line = (position: number) => text.slice(0, position).split('\n').length
  return (from, to) => ({ from: line(from), to: line(Math.max(from, to)) })
}

function merged(ranges: readonly LineRange[]): LineRange[] {
  const kept: { from: number; to: number }[] = []
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = kept.at(-1)
    if (last !== undefined && range.from <= last.to + 1) last.to = Math.max(last.to, range.to)
    else kept.push({ ...range })
  }
  return kept
}
