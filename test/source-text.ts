// Reads source files the way the architecture and tidy tests need them: comments and the contents
// of strings apart from code, so that a rule about code is never broken by a sentence about it.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repositoryRoot = dirname(dirname(fileURLToPath(import.meta.url)))

export interface SourceText {
  /** The code, of the same length and with the same lines; comments and string contents blank. */
  readonly code: string
  /** Every comment with the offset of its first character. */
  readonly comments: readonly { readonly start: number; readonly text: string }[]
  /** String contents by the offset of the opening quote. */
  readonly strings: ReadonlyMap<number, string>
}

const skippedFolders = new Set(['node_modules', 'dist', 'dist-web', '.assay', '.git', 'coverage'])
const sourceExtension = /\.(ts|tsx|js|mjs)$/

/** All source files under the given top folders: path with `/`, relative to the root → text. */
export function readSources(
  folders: readonly string[],
  root = repositoryRoot,
): Map<string, string> {
  const files = new Map<string, string>()
  for (const folder of folders) collect(join(root, folder), root, files)
  return files
}

function collect(folder: string, root: string, files: Map<string, string>): void {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (!skippedFolders.has(entry.name)) collect(path, root, files)
    } else if (sourceExtension.test(entry.name)) {
      files.set(relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8'))
    }
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** `new URL('worker.ts', import.meta.url)`: always a path, with or without a dot before it. */
const entryFile = /\bnew\s+URL\(\s*(?=['"][^'"]*['"]\s*,\s*import\.meta\.url)/g

export interface ImportSite {
  readonly specifier: string
  readonly line: number
}

/** Everything a file pulls in: imports, re-exports, dynamic imports and worker entry files. */
export function importsOf(source: SourceText): ImportSite[] {
  const sites: ImportSite[] = []
  const patterns = [
    /\b(?:import|export)\b[^;'"`()]*?\bfrom\s*(?=['"])/g,
    /\bimport\s*(?=['"])/g,
    /\bimport\s*\(\s*(?=['"`])/g,
    entryFile,
  ]
  for (const pattern of patterns) {
    for (const match of source.code.matchAll(pattern)) {
      const quoteAt = match.index + match[0].length
      const specifier = source.strings.get(quoteAt)
      if (specifier === undefined) continue
      const path =
        pattern === entryFile && !specifier.startsWith('.') ? `./${specifier}` : specifier
      sites.push({ specifier: path, line: lineOf(source.code, quoteAt) })
    }
  }
  return sites.sort((a, b) => a.line - b.line)
}

export function lineOf(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1))
    line++
  return line
}

/** Separates code from comments and strings. It knows regular expressions and `${}` in templates. */
export function separate(text: string): SourceText {
  return new Separator(text).run()
}

class Separator {
  readonly #text: string
  readonly #code: string[]
  readonly #comments: { start: number; text: string }[] = []
  readonly #strings = new Map<number, string>()
  #at = 0

  constructor(text: string) {
    this.#text = text
    this.#code = text.split('')
  }

  run(): SourceText {
    this.#readCode(false)
    return { code: this.#code.join(''), comments: this.#comments, strings: this.#strings }
  }

  /** Reads code to the end, or, inside a template's `${`, to its closing brace. */
  #readCode(insideTemplate: boolean): void {
    let depth = 0
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]
      const pair = this.#text.slice(this.#at, this.#at + 2)
      if (pair === '//') this.#readComment('\n', 0)
      else if (pair === '/*') this.#readComment('*/', 2)
      else if (char === '"' || char === "'") this.#readString(char)
      else if (char === '`') this.#readTemplate()
      else if (char === '/' && this.#regexMayStart()) this.#readRegex()
      else {
        if (char === '{') depth++
        if (char === '}') {
          if (insideTemplate && depth === 0) return
          depth--
        }
        this.#at++
      }
    }
  }

  #readComment(end: string, endLength: number): void {
    const start = this.#at
    const found = this.#text.indexOf(end, start + 2)
    this.#at = found === -1 ? this.#text.length : found + endLength
    this.#comments.push({ start, text: this.#text.slice(start, this.#at) })
    this.#blank(start, this.#at)
  }

  #readString(quote: string): void {
    const start = this.#at
    this.#at++
    while (this.#at < this.#text.length && this.#text[this.#at] !== quote) {
      if (this.#text[this.#at] === '\n') break // An apostrophe in page text, not a string.
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1
    }
    this.#strings.set(start, this.#text.slice(start + 1, this.#at))
    this.#blank(start + 1, this.#at)
    this.#at++
  }

  #readTemplate(): void {
    const start = this.#at
    let plainFrom = ++this.#at
    while (this.#at < this.#text.length && this.#text[this.#at] !== '`') {
      if (this.#text[this.#at] === '\\') this.#at += 2
      else if (this.#text.startsWith('${', this.#at)) {
        this.#blank(plainFrom, this.#at)
        this.#at += 2
        this.#readCode(true)
        plainFrom = ++this.#at
      } else this.#at++
    }
    this.#strings.set(start, this.#text.slice(start + 1, this.#at))
    this.#blank(plainFrom, this.#at)
    this.#at++
  }

  #readRegex(): void {
    const start = this.#at
    let inClass = false
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at]
      if (char === '\n') break
      if (char === '\\') this.#at++
      else if (char === '[') inClass = true
      else if (char === ']') inClass = false
      else if (char === '/' && !inClass) break
    }
    this.#blank(start + 1, this.#at)
    this.#at++
  }

  /** A slash divides after a value and opens a regular expression after anything else. */
  #regexMayStart(): boolean {
    const before = this.#text.slice(Math.max(0, this.#at - 40), this.#at).trimEnd()
    if (before === '' || /[(,=:[!&|?{};+\-*%~^]$/.test(before)) return true
    return /\b(return|typeof|case|in|of|delete|void|throw|await|yield)$/.test(before)
  }

  #blank(from: number, to: number): void {
    for (let i = from; i < Math.min(to, this.#code.length); i++) {
      if (this.#code[i] !== '\n') this.#code[i] = ' '
    }
  }
}
