// As much of a TypeScript file's shape as it takes to find a declaration in it: what is code and what
// is text or comment, and which brackets belong together. It reads and judges nothing.

/** A string or a template: where it stands, and what it says. */
export interface TextToken {
  readonly from: number
  readonly to: number
  /** Matches what the text may come to; `${…}` stands for anything. */
  readonly says: RegExp
  /** How many characters of it are fixed: of two that match, the longer one is meant. */
  readonly fixed: number
}

/** A pair of brackets: `from` is the opening one, `to` lies behind the closing one. */
export interface Bracket {
  readonly kind: '(' | '[' | '{'
  readonly from: number
  to: number
  /** Positions of the commas directly within. */
  readonly commas: number[]
}

export interface SourceShape {
  /** As long as the file, with spaces in place of texts and comments; line ends stay. */
  readonly code: string
  readonly texts: readonly TextToken[]
  /** In the order in which they open, so outer before inner. */
  readonly brackets: readonly Bracket[]
}

/** Reads a whole file; brackets that nobody closes end with it. */
export function shapeOf(source: string): SourceShape {
  const reader = new ShapeReader(source)
  reader.readCode(false)
  return { code: reader.code.join(''), texts: reader.texts, brackets: reader.brackets }
}

const closing: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' }

class ShapeReader {
  readonly code: string[]
  readonly texts: TextToken[] = []
  readonly brackets: Bracket[] = []
  private readonly source: string
  private readonly open: Bracket[] = []
  private at = 0

  constructor(source: string) {
    this.source = source
    this.code = source.split('')
  }

  /** Reads code to the end of the file, or of the `${…}` of a template. */
  readCode(inTemplate: boolean): void {
    const { source } = this
    const depth = this.open.length
    while (this.at < source.length) {
      const two = source.slice(this.at, this.at + 2)
      const one = source[this.at]
      if (two === '//') this.blankTo(source.indexOf('\n', this.at))
      else if (two === '/*') this.blankTo(source.indexOf('*/', this.at) + 2)
      else if (one === "'" || one === '"') this.readString(one)
      else if (one === '`') this.readTemplate()
      else if (one === '}' && inTemplate && this.open.length === depth) return
      else this.readSign(one)
    }
  }

  private readSign(sign: string): void {
    const innermost = this.open.at(-1)
    if (sign === '(' || sign === '[' || sign === '{') {
      const bracket = { kind: sign, from: this.at, to: this.source.length, commas: [] } as Bracket
      this.brackets.push(bracket)
      this.open.push(bracket)
    } else if (innermost !== undefined && sign in closing && closing[sign] === innermost.kind) {
      innermost.to = this.at + 1
      this.open.pop()
    } else if (sign === ',') {
      innermost?.commas.push(this.at)
    }
    this.at++
  }

  private readString(quote: string): void {
    const from = this.at
    let end = from + 1
    while (end < this.source.length && this.source[end] !== quote && this.source[end] !== '\n') {
      end += this.source[end] === '\\' ? 2 : 1
    }
    const text = this.source.slice(from + 1, end)
    this.texts.push({ from, to: end + 1, says: patternOf([text]), fixed: text.length })
    this.blankTo(end + 1)
  }

  private readTemplate(): void {
    const from = this.at
    const parts: string[] = []
    let part = ''
    this.blankTo(from + 1)
    while (this.at < this.source.length && this.source[this.at] !== '`') {
      if (this.source.startsWith('${', this.at)) {
        parts.push(part)
        part = ''
        this.blankTo(this.at + 2)
        this.readCode(true)
      } else {
        part += this.source[this.at]
      }
      this.blankTo(this.at + (this.source[this.at] === '\\' ? 2 : 1))
    }
    this.blankTo(this.at + 1)
    parts.push(part)
    const fixed = parts.join('').length
    this.texts.push({ from, to: this.at, says: patternOf(parts), fixed })
  }

  private blankTo(end: number): void {
    const until = end <= this.at ? this.source.length : Math.min(end, this.source.length)
    for (; this.at < until; this.at++) {
      if (this.code[this.at] !== '\n') this.code[this.at] = ' '
    }
  }
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
const patternOf = (parts: readonly string[]): RegExp =>
  new RegExp(`^${parts.map(escaped).join('.+')}$`)
