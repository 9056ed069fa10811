/**
 * A small language of searches: comparisons joined by AND, OR and parentheses.
 *
 *     or         := and (OR and)*
 *     and        := unit (AND unit)*
 *     unit       := '(' or ')' | comparison
 *     comparison := key operator value
 *                 | key [NOT] IN '(' value (',' value)* ')'
 *                 | key IS [NOT] NULL
 *     operator   := = | == | != | <> | < | <= | > | >= | LIKE | ILIKE
 *     key        := [entity '.'] name         name: bare, `backticked`, "quoted" or, after a dot, 'quoted'
 *     value      := 'text' | "text" | number  a quote inside: doubled, or after a backslash
 *
 * Keywords in any case. AND binds tighter than OR. What a filter means stands in `filter.ts`.
 *
 * Which keys there are is the vocabulary of whoever asks; the language itself knows no field.
 */
import {
  comparisonOperators,
  type Comparison,
  type ComparisonOperator,
  type Filter,
} from './filter.ts'

/** What a vocabulary says of one key. */
export interface FilterKey<Field> {
  readonly field: Field
  readonly type: 'text' | 'number'
  /** All that fit the type where none are given. */
  readonly operators?: readonly ComparisonOperator[]
  /** Turns what was written into what is stored (a unit, a word); undefined: no such value. */
  readonly convert?: (value: string | number) => string | number | undefined
}

export interface Vocabulary<Field> {
  /** Undefined where there is no such key. */
  keyOf(entity: string | undefined, name: string): FilterKey<Field> | undefined
  /** The keys in words, for the message about an unknown one. */
  readonly known: string
}

/** What is wrong with a filter, and at which character (from 0) of its text. */
export class FilterError extends Error {
  readonly position: number

  constructor(message: string, position: number) {
    super(message)
    this.name = 'FilterError'
    this.position = position
  }
}

/** Bounds of one filter, so that no text costs more than its reading. */
export const filterLimits = {
  characters: 200_000,
  comparisons: 200,
  depth: 50,
  listed: 10_000,
  patternCharacters: 10_000,
}

/** Reads a filter; empty text holds for everything. Throws `FilterError` alone. */
export function parseFilter<Field>(text: string, vocabulary: Vocabulary<Field>): Filter<Field> {
  const parser = createParser(text, vocabulary)
  if (parser.isAtEnd()) return { all: [] }
  const filter = parser.either(0)
  parser.end()
  return filter
}

/** Reads `key`, `key ASC` or `key DESC`. Throws `FilterError` alone. */
export function parseOrder<Field>(
  text: string,
  vocabulary: Vocabulary<Field>,
): { field: Field; descending: boolean } {
  const parser = createParser(text, vocabulary)
  const { field } = parser.key()
  const descending = parser.keyword('desc')
  if (!descending) parser.keyword('asc')
  parser.end()
  return { field, descending }
}

interface Token {
  readonly kind: 'bare' | 'single' | 'double' | 'backtick' | 'operator' | 'open' | 'close' | 'comma'
  readonly text: string
  readonly at: number
  /** Whether nothing stands between it and the token before. */
  readonly joined: boolean
}

const symbols: Readonly<Record<string, ComparisonOperator>> = {
  '=': '=',
  '==': '=',
  '!=': '!=',
  '<>': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
}

const numberPattern = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

const textOperators = comparisonOperators
const numberOperators = comparisonOperators.filter((op) => op !== 'like' && op !== 'ilike')

function createParser<Field>(text: string, vocabulary: Vocabulary<Field>) {
  const tokens = tokensOf(text)
  let next = 0
  let comparisons = 0

  const peek = (): Token | undefined => tokens[next]
  const fail = (message: string, token = peek()): never => {
    throw new FilterError(message, token?.at ?? text.length)
  }
  const isKeyword = (token: Token | undefined, word: string) =>
    token?.kind === 'bare' && token.text.toLowerCase() === word
  const shown = (token: Token | undefined) => (token === undefined ? 'the end' : `"${token.text}"`)

  function keyword(word: string): boolean {
    if (!isKeyword(peek(), word)) return false
    next++
    return true
  }

  function take(kind: Token['kind'], what: string): Token {
    const token = peek()
    if (token?.kind !== kind) return fail(`Expected ${what}, found ${shown(token)}.`)
    next++
    return token
  }

  function either(depth: number): Filter<Field> {
    if (depth > filterLimits.depth) {
      return fail(`Parentheses may be ${filterLimits.depth} deep.`)
    }
    const parts = [both(depth)]
    while (keyword('or')) parts.push(both(depth))
    return parts.length === 1 ? parts[0] : { any: parts }
  }

  function both(depth: number): Filter<Field> {
    const parts = [unit(depth)]
    while (keyword('and')) parts.push(unit(depth))
    return parts.length === 1 ? parts[0] : { all: parts }
  }

  function unit(depth: number): Filter<Field> {
    if (peek()?.kind !== 'open') return comparison()
    next++
    const inner = either(depth + 1)
    take('close', 'a closing parenthesis')
    return inner
  }

  function comparison(): Comparison<Field> {
    if (++comparisons > filterLimits.comparisons) {
      fail(`A filter may have ${filterLimits.comparisons} comparisons.`)
    }
    const start = peek()
    const known = key()
    const operatorAt = peek()
    const op = operator()
    const allowed = known.operators ?? (known.type === 'text' ? textOperators : numberOperators)
    if (!allowed.includes(op)) {
      fail(
        `${shown(start)} cannot be compared with ${op.toUpperCase()}; it takes ${allowed.join(', ')}.`,
        operatorAt,
      )
    }
    const { field } = known
    if (op === 'is-null' || op === 'is-not-null') return { field, op }
    if (op === 'in' || op === 'not-in') return { field, op, value: list(known) }
    return { field, op, value: value(known, op === 'like' || op === 'ilike') }
  }

  function key(): FilterKey<Field> {
    const token = peek()
    if (token === undefined || !['bare', 'double', 'backtick'].includes(token.kind)) {
      return fail(`Expected a key, found ${shown(token)}.`)
    }
    next++
    const [entity, name] = token.kind === 'bare' ? keyParts(token) : [undefined, token.text]
    return (
      vocabulary.keyOf(entity, name) ??
      fail(
        `There is no key ${entity === undefined ? name : `${entity}.${name}`}. ${vocabulary.known}`,
        token,
      )
    )
  }

  /** `entity.name` in one token, or `entity.` with the name quoted right behind it. */
  function keyParts(token: Token): [string | undefined, string] {
    const dot = token.text.indexOf('.')
    if (dot < 0) return [undefined, token.text]
    const entity = token.text.slice(0, dot)
    const name = token.text.slice(dot + 1)
    if (name !== '') return [entity, name]
    const quoted = peek()
    if (!quoted?.joined || !['single', 'double', 'backtick'].includes(quoted.kind)) {
      return fail(`Expected a name after "${token.text}".`)
    }
    next++
    return [entity, quoted.text]
  }

  function operator(): ComparisonOperator {
    const token = peek()
    if (token?.kind === 'operator') {
      next++
      return symbols[token.text]
    }
    if (keyword('like')) return 'like'
    if (keyword('ilike')) return 'ilike'
    if (keyword('in')) return 'in'
    if (keyword('not')) return keyword('in') ? 'not-in' : fail('Expected IN after NOT.')
    if (keyword('is')) {
      const isNot = keyword('not')
      if (!keyword('null')) fail('Expected NULL after IS.')
      return isNot ? 'is-not-null' : 'is-null'
    }
    return fail(`Expected an operator such as = or LIKE, found ${shown(token)}.`)
  }

  function list(known: FilterKey<Field>): (string | number)[] {
    take('open', 'a list in parentheses')
    const values = [value(known)]
    while (peek()?.kind === 'comma') {
      next++
      // A list may end in a comma: that is how Python writes a tuple of one.
      if (peek()?.kind === 'close') break
      if (values.length === filterLimits.listed)
        fail(`A list may have ${filterLimits.listed} values.`)
      values.push(value(known))
    }
    take('close', 'a closing parenthesis')
    return values
  }

  function value(known: FilterKey<Field>, isPattern = false): string | number {
    const token = peek()
    const written = literal(token)
    if (written === undefined) {
      return fail(
        known.type === 'text'
          ? `Expected a text in quotes, found ${shown(token)}.`
          : `Expected a number, found ${shown(token)}.`,
      )
    }
    // Converters say themselves which values they take; patterns stay as they were written.
    const isConverted = known.convert !== undefined && !isPattern
    if (isPattern && String(written).length > filterLimits.patternCharacters) {
      return fail(`A pattern may have ${filterLimits.patternCharacters} characters.`)
    }
    const converted = isConverted ? known.convert(written) : written
    const wanted = known.type === 'text' ? 'string' : 'number'
    if (typeof converted !== wanted) {
      return fail(
        isConverted
          ? `${shown(token)} is not a value that this key can have.`
          : `Expected a ${known.type === 'text' ? 'text in quotes' : 'number'}, found ${shown(token)}.`,
      )
    }
    next++
    return converted!
  }

  function literal(token: Token | undefined): string | number | undefined {
    if (token?.kind === 'single' || token?.kind === 'double') return token.text
    if (token?.kind !== 'bare' || !numberPattern.test(token.text)) return undefined
    const parsed = Number(token.text)
    return Number.isFinite(parsed) ? parsed : fail(`${token.text} is larger than any number.`)
  }

  return {
    either,
    key,
    keyword,
    isAtEnd: () => tokens.length === 0,
    end: () => {
      if (next < tokens.length) fail(`Expected AND, OR or the end, found ${shown(peek())}.`)
    },
  }
}

const quotes: Readonly<Record<string, Token['kind']>> = {
  "'": 'single',
  '"': 'double',
  '`': 'backtick',
}
const marks: Readonly<Record<string, Token['kind']>> = { '(': 'open', ')': 'close', ',': 'comma' }
const bareWord = /[^\s()=!<>,'"`]+/y
const operatorSign = /==|!=|<>|<=|>=|[=<>]/y

function tokensOf(text: string): Token[] {
  if (text.length > filterLimits.characters) {
    throw new FilterError(`A filter may have ${filterLimits.characters} characters.`, 0)
  }
  const tokens: Token[] = []
  let at = 0
  let end = -1
  const add = (kind: Token['kind'], content: string, length: number) => {
    tokens.push({ kind, text: content, at, joined: end === at })
    end = at += length
  }
  while (at < text.length) {
    const character = text[at]
    if (/\s/.test(character)) at++
    else if (quotes[character] !== undefined) {
      const { content, length } = quoted(text, at)
      add(quotes[character], content, length)
    } else if (marks[character] !== undefined) add(marks[character], character, 1)
    else {
      const found = stickyMatch(operatorSign, text, at)
      if (found !== undefined) add('operator', found, found.length)
      else {
        const word = stickyMatch(bareWord, text, at)
        if (word === undefined) throw new FilterError(`"${character}" means nothing here.`, at)
        add('bare', word, word.length)
      }
    }
  }
  return tokens
}

function stickyMatch(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

/** The content of a quoted piece that starts at `at`, and how many characters it takes. */
function quoted(text: string, at: number): { content: string; length: number } {
  const quote = text[at]
  let content = ''
  for (let i = at + 1; i < text.length; i++) {
    const character = text[i]
    if (character === '\\' && quote !== '`' && (text[i + 1] === quote || text[i + 1] === '\\')) {
      content += text[++i]
    } else if (character !== quote) content += character
    else if (text[i + 1] === quote) {
      content += quote
      i++
    } else return { content, length: i + 1 - at }
  }
  throw new FilterError(`The quote ${quote} is not closed.`, at)
}
