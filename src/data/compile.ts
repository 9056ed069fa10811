import { parseMinor } from '../lib/decimal.ts'
import { contentHash } from '../lib/hash.ts'
import { isTimeZone, parseDuration, parseTimestamp } from '../lib/time.ts'
import type { CompiledColumn, CompiledLabels, CompiledSource } from './contract.ts'
import { currencyExponent } from './currencies.ts'
import type { ColumnDeclaration, LabelsDeclaration, SourceDeclaration } from './declarations.ts'
import { fail } from './errors.ts'
import { didYouMean } from './suggestion.ts'
import { granularities, type Granularity } from './versions-parts.ts'

/**
 * Checks a source's declaration and turns it into a contract. Every mistake is reported at once, as
 * `declaration_invalid` with a sentence for each that names the source, the column and the remedy.
 */
export function compileSource(declaration: SourceDeclaration): CompiledSource {
  const mistakes = new Mistakes(`Source ${quote(declaration.name)}`)
  const { options, name } = declaration
  checkName(mistakes, name)
  mistakes.unknownOptions(options, [
    'description',
    'timeZone',
    'columns',
    'ignore',
    'late',
    'future',
    'parts',
  ])
  const timeZone = checkTimeZone(mistakes, options.timeZone ?? 'UTC')
  const columns = Object.entries(options.columns).map(([columnName, column]) =>
    compileColumn(mistakes.at(`column ${quote(columnName)}`), columnName, column, timeZone),
  )
  const ignore = [...(options.ignore ?? [])]
  checkFileNames(mistakes, columns, ignore)
  const content = {
    kind: 'source' as const,
    name,
    description: options.description ?? '',
    timeZone,
    columns,
    id: onlyColumn(mistakes, columns, 'id', 'id()'),
    eventTime: onlyColumn(mistakes, columns, 'eventTime', 'eventTime()'),
    ...arrivalColumn(mistakes, columns),
    ignore,
    lateUs: options.late === undefined ? null : duration(mistakes, 'late', options.late),
    futureUs: duration(mistakes, 'future', options.future ?? '5m'),
    ...partsOption(mistakes, options.parts),
  }
  mistakes.throwIfAny()
  return { ...content, version: contentHash(content) }
}

/** Absent where nothing is declared, so that the versions of such contracts stay what they were. */
function partsOption(
  mistakes: Mistakes,
  parts: Granularity | undefined,
): Pick<CompiledSource, 'parts'> {
  if (parts === undefined) return {}
  if (granularities.includes(parts)) return { parts }
  mistakes.add(`parts ${quote(parts)} are unknown; use ${granularities.join(', ')}.`)
  return {}
}

/** Checks a labels declaration and turns it into a contract, with errors as `compileSource`'s. */
export function compileLabels(declaration: LabelsDeclaration): CompiledLabels {
  const mistakes = new Mistakes(`Labels ${quote(declaration.name)}`)
  const { options, name } = declaration
  checkName(mistakes, name)
  mistakes.unknownOptions(options, [
    'description',
    'of',
    'values',
    'positive',
    'delay',
    'from',
    'file',
  ])
  checkLabelValues(mistakes, options.values, options.positive)
  const source = options.of.options
  if (options.from !== undefined) {
    const taken = Object.entries(source.columns).find(
      ([column, { options: given }]) => (given['from'] ?? column) === options.from,
    )
    if (taken !== undefined) {
      mistakes.add(`from ${quote(options.from)} is already the source’s column ${quote(taken[0])}.`)
    }
  }
  const content = {
    kind: 'labels' as const,
    name,
    description: options.description ?? '',
    of: options.of.name,
    timeZone: checkTimeZone(mistakes, source.timeZone ?? 'UTC'),
    values: { ...options.values },
    positive: options.positive,
    delayUs: duration(mistakes, 'delay', options.delay),
    from: options.from ?? null,
    file: {
      eventId: options.file?.eventId ?? 'event_id',
      value: options.file?.value ?? 'value',
      eventTime: options.file?.eventTime ?? 'event_time',
      arrivalTime: options.file?.arrivalTime ?? 'arrival_time',
      author: options.file?.author ?? 'author',
    },
  }
  mistakes.throwIfAny()
  return { ...content, version: contentHash(content) }
}

/** Gathers what is wrong with a declaration, so that one run shows every mistake. */
class Mistakes {
  private readonly where: string
  private readonly found: string[]

  constructor(where: string, found: string[] = []) {
    this.where = where
    this.found = found
  }

  at(part: string): Mistakes {
    return new Mistakes(`${this.where}, ${part}`, this.found)
  }

  add(sentence: string): void {
    this.found.push(`${this.where}: ${sentence}`)
  }

  unknownOptions(options: object, known: readonly string[]): void {
    for (const option of Object.keys(options)) {
      if (known.includes(option)) continue
      const near = didYouMean(option, known)
      this.add(
        `there is no option ${quote(option)}; ` +
          (near === undefined ? `use ${known.join(', ')}.` : `did you mean ${quote(near)}?`),
      )
    }
  }

  throwIfAny(): void {
    if (this.found.length === 0) return
    throw fail.declaration_invalid(this.found.join('\n'), { extra: { mistakes: this.found } })
  }
}

const commonOptions = ['from', 'nullable', 'personal', 'description'] as const

function compileColumn(
  mistakes: Mistakes,
  name: string,
  declaration: ColumnDeclaration,
  timeZone: string,
): CompiledColumn {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(name)) {
    mistakes.add('use a name of letters, digits and underscores that starts with a letter.')
  }
  const options = new Options(mistakes, declaration.options)
  const base = {
    name,
    from: options.string('from') ?? name,
    nullable: options.flag('nullable'),
    personal: options.flag('personal'),
    description: options.string('description') ?? '',
  }
  switch (declaration.kind) {
    case 'id':
      options.allow(['from', 'personal', 'description', 'type'])
      return { ...base, kind: 'id', type: keyType(mistakes, declaration.options['type'] ?? 'text') }
    case 'eventTime':
      options.allow(['from', 'description', 'min', 'max'])
      return { ...base, kind: 'eventTime', ...timeRange(mistakes, options, timeZone) }
    case 'arrivalTime':
      options.allow(['from', 'description', 'min', 'max', 'nullable'])
      return { ...base, kind: 'arrivalTime', ...timeRange(mistakes, options, timeZone) }
    case 'key':
      options.allow(commonOptions)
      return { ...base, kind: 'key', type: keyType(mistakes, declaration.argument) }
    case 'money':
      options.allow([...commonOptions, 'min', 'max', 'fromFloat'])
      return {
        ...base,
        kind: 'money',
        fromFloat: options.flag('fromFloat'),
        ...moneyRange(mistakes, options, declaration.argument),
      }
    case 'integer':
      options.allow([...commonOptions, 'min', 'max'])
      return { ...base, kind: 'integer', ...integerRange(mistakes, options) }
    case 'number':
      options.allow([...commonOptions, 'min', 'max'])
      return { ...base, kind: 'number', ...numberRange(mistakes, options) }
    case 'text':
      options.allow([...commonOptions, 'lengthMax'])
      return { ...base, kind: 'text', lengthMax: lengthMax(mistakes, options) }
    case 'category':
      options.allow(commonOptions)
      return { ...base, kind: 'category', values: categories(mistakes, declaration.argument) }
    case 'boolean':
      options.allow(commonOptions)
      return { ...base, kind: 'boolean' }
  }
}

/** Reads options whose types TypeScript checked in a project, but not in plain JavaScript. */
class Options {
  private readonly mistakes: Mistakes
  private readonly values: Readonly<Record<string, unknown>>

  constructor(mistakes: Mistakes, values: Readonly<Record<string, unknown>>) {
    this.mistakes = mistakes
    this.values = values
  }

  allow(known: readonly string[]): void {
    this.mistakes.unknownOptions(this.values, known)
  }

  string(name: string): string | undefined {
    return this.read(name, 'string', 'text') as string | undefined
  }

  number(name: string): number | undefined {
    return this.read(name, 'number', 'a number') as number | undefined
  }

  flag(name: string): boolean {
    return (this.read(name, 'boolean', 'true or false') as boolean | undefined) ?? false
  }

  private read(name: string, type: string, wanted: string): unknown {
    const value = this.values[name]
    if (value === undefined || typeof value === type) return value
    this.mistakes.add(`${name} must be ${wanted}, not ${quote(String(value))}.`)
    return undefined
  }
}

function keyType(mistakes: Mistakes, type: unknown): 'text' | 'integer' {
  if (type === 'text' || type === 'integer') return type
  mistakes.add(`the type must be 'integer' or 'text', not ${quote(String(type))}.`)
  return 'text'
}

/** The range of times that a contract accepts where it names none. */
const eventTimeMin = '1970-01-01T00:00:00Z'
const eventTimeMax = '2200-01-01T00:00:00Z'

function timeRange(
  mistakes: Mistakes,
  options: Options,
  timeZone: string,
): { min: number; max: number } {
  const bound = (name: 'min' | 'max', otherwise: string): number => {
    const written = options.string(name) ?? otherwise
    const us = parseTimestamp(written, { timeZone })
    if (us === undefined) {
      mistakes.add(`${name} ${quote(written)} is not a date. Write it as '2018-04-01'.`)
    }
    return us ?? 0
  }
  return ordered(mistakes, { min: bound('min', eventTimeMin), max: bound('max', eventTimeMax) })
}

function moneyRange(
  mistakes: Mistakes,
  options: Options,
  argument: unknown,
): { currency: string; exponent: number; min: number; max: number } {
  const currency = String(argument)
  const exponent = currencyExponent(currency)
  if (exponent === undefined) {
    mistakes.add(`${quote(currency)} is not a currency. Use its ISO 4217 code, such as 'EUR'.`)
    return { currency, exponent: 2, min: 0, max: 0 }
  }
  const bound = (name: 'min' | 'max', otherwise: number): number => {
    const written = options.string(name)
    if (written === undefined) return otherwise
    const minor = parseMinor(written, exponent)
    if (minor === undefined) {
      mistakes.add(
        `${name} ${quote(written)} is not an amount in ${currency}. Write it as decimal text with ` +
          `at most ${exponent} decimal places.`,
      )
    }
    return minor ?? otherwise
  }
  const range = {
    min: bound('min', Number.MIN_SAFE_INTEGER),
    max: bound('max', Number.MAX_SAFE_INTEGER),
  }
  return { currency, exponent, ...ordered(mistakes, range) }
}

function integerRange(mistakes: Mistakes, options: Options): { min: number; max: number } {
  const range = {
    min: options.number('min') ?? Number.MIN_SAFE_INTEGER,
    max: options.number('max') ?? Number.MAX_SAFE_INTEGER,
  }
  for (const [name, value] of Object.entries(range)) {
    if (!Number.isSafeInteger(value)) mistakes.add(`${name} must be a whole number, not ${value}.`)
  }
  return ordered(mistakes, range)
}

function numberRange(
  mistakes: Mistakes,
  options: Options,
): { min: number | null; max: number | null } {
  const range = { min: options.number('min') ?? null, max: options.number('max') ?? null }
  for (const [name, value] of Object.entries(range)) {
    if (value !== null && !Number.isFinite(value)) {
      mistakes.add(`${name} must be a finite number; leave it out for no bound.`)
    }
  }
  ordered(mistakes, { min: range.min ?? -Infinity, max: range.max ?? Infinity })
  return range
}

function ordered<Range extends { min: number; max: number }>(
  mistakes: Mistakes,
  range: Range,
): Range {
  if (range.min > range.max) mistakes.add('min lies above max.')
  return range
}

const textLengthMaxDefault = 4096
const textLengthMaxLimit = 65_536

function lengthMax(mistakes: Mistakes, options: Options): number {
  const length = options.number('lengthMax') ?? textLengthMaxDefault
  if (!Number.isSafeInteger(length) || length < 1 || length > textLengthMaxLimit) {
    mistakes.add(`lengthMax must be a whole number from 1 to ${textLengthMaxLimit}.`)
  }
  return length
}

function categories(mistakes: Mistakes, argument: unknown): readonly string[] {
  const values = Array.isArray(argument) ? argument.map(String) : []
  if (values.length === 0 || values.includes('')) {
    mistakes.add("list the accepted values, such as category(['card', 'transfer']).")
  }
  const repeated = values.find((value, index) => values.indexOf(value) !== index)
  if (repeated !== undefined) mistakes.add(`the value ${quote(repeated)} is listed twice.`)
  return values
}

function checkName(mistakes: Mistakes, name: string): void {
  if (!/^[a-z][a-z0-9_-]{0,62}$/.test(name)) {
    mistakes.add('use a name of lower-case letters, digits, - and _ that starts with a letter.')
  }
}

function checkTimeZone(mistakes: Mistakes, timeZone: string): string {
  if (isTimeZone(timeZone)) return timeZone
  mistakes.add(`timeZone ${quote(timeZone)} is not an IANA zone such as 'Europe/Berlin'.`)
  return 'UTC'
}

function duration(mistakes: Mistakes, option: string, written: string): number {
  try {
    return parseDuration(written)
  } catch {
    mistakes.add(`${option} ${quote(written)} is not a duration. Write it as '7d', '24h' or '15m'.`)
    return 0
  }
}

function onlyColumn(
  mistakes: Mistakes,
  columns: readonly CompiledColumn[],
  kind: 'id' | 'eventTime' | 'arrivalTime',
  remedy: string,
): string {
  const found = columns.filter((column) => column.kind === kind)
  if (found.length === 0) {
    mistakes.add(`no column is declared with ${remedy}; exactly one must be.`)
  } else if (found.length > 1) {
    const names = found.map((column) => quote(column.name)).join(', ')
    mistakes.add(`${names} are all declared with ${remedy}; exactly one may be.`)
  }
  return found[0]?.name ?? ''
}

/** Absent where no column is declared, so that contracts without one keep their versions. */
function arrivalColumn(
  mistakes: Mistakes,
  columns: readonly CompiledColumn[],
): { arrivalTime?: string } {
  const isDeclared = columns.some(({ kind }) => kind === 'arrivalTime')
  if (!isDeclared) return {}
  return { arrivalTime: onlyColumn(mistakes, columns, 'arrivalTime', 'arrivalTime()') }
}

/** A name that a file or a body uses must mean one column only. */
function checkFileNames(
  mistakes: Mistakes,
  columns: readonly CompiledColumn[],
  ignore: readonly string[],
): void {
  const owners = new Map<string, string>()
  for (const column of columns) {
    for (const name of new Set([column.name, column.from])) {
      const owner = owners.get(name)
      if (owner !== undefined) {
        mistakes.add(
          `columns ${quote(owner)} and ${quote(column.name)} both answer to ${quote(name)}.`,
        )
      }
      owners.set(name, column.name)
    }
  }
  for (const name of ignore) {
    const owner = owners.get(name)
    if (owner !== undefined) {
      mistakes.add(`ignore lists ${quote(name)}, which is the column ${quote(owner)}.`)
    }
  }
}

function checkLabelValues(
  mistakes: Mistakes,
  values: Readonly<Record<string, number>>,
  positive: string,
): void {
  const codes = Object.values(values)
  if (codes.length < 2) mistakes.add('values must name at least two labels.')
  for (const [name, code] of Object.entries(values)) {
    if (!Number.isSafeInteger(code)) {
      mistakes.add(`the value of ${quote(name)} must be a whole number, not ${String(code)}.`)
    }
  }
  if (new Set(codes).size < codes.length) mistakes.add('two labels share one number in values.')
  if (!Object.hasOwn(values, positive)) {
    mistakes.add(`positive is ${quote(positive)}, which values does not name.`)
  }
}

function quote(text: string): string {
  return JSON.stringify(text)
}
