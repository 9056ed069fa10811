/** Narrowing what a parser gave, with the path of what is wrong. */
import { fail } from './errors.ts'

/** An object or list within a model file, with its path for messages. */
export class Part {
  readonly path: string
  readonly value: unknown

  constructor(value: unknown, path: string) {
    this.value = value
    this.path = path
  }

  has(name: string): boolean {
    return isRecord(this.value) && Object.hasOwn(this.value, name)
  }

  /** A member that must be there. */
  get(name: string): Part {
    if (!this.has(name)) throw fail.model_file_unreadable(`The file lacks ${this.path}.${name}.`)
    return new Part((this.value as Record<string, unknown>)[name], `${this.path}.${name}`)
  }

  text(): string {
    if (typeof this.value === 'string') return this.value
    throw this.wrong('a text')
  }

  list(): readonly unknown[] {
    if (Array.isArray(this.value)) return this.value
    throw this.wrong('a list')
  }

  parts(): Part[] {
    return this.list().map((value, index) => new Part(value, `${this.path}[${index}]`))
  }

  texts(): string[] {
    return this.parts().map((part) => part.text())
  }

  /** Numbers of a list, or of a typed array; booleans count as 0 and 1, null as NaN. */
  numbers(): ArrayLike<number> {
    const { value } = this
    if (ArrayBuffer.isView(value)) return value as unknown as Float64Array
    return this.list().map((entry) => {
      if (typeof entry === 'number') return entry
      if (typeof entry === 'boolean') return entry ? 1 : 0
      if (entry === null) return NaN
      throw this.wrong('a list of numbers')
    })
  }

  /** A whole number of at least `least`, as a number or as text. */
  count(least = 0, most = Number.MAX_SAFE_INTEGER): number {
    const { value } = this
    const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
    if (Number.isSafeInteger(number) && (number as number) >= least && (number as number) <= most) {
      return number as number
    }
    throw this.wrong(`a whole number from ${least} to ${most}`)
  }

  private wrong(wanted: string): Error {
    return fail.model_file_unreadable(`${this.path} is not ${wanted}.`)
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
