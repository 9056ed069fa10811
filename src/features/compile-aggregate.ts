import type { CompiledColumn, CompiledSource, LabelsDeclaration } from '../data/index.ts'
import { DAY_US, parseDuration } from '../lib/time.ts'
import type { Aggregate, AggregateFunction, Expression } from './compiled.ts'
import type { Draft, DraftAggregate } from './values.ts'
import { durationInWords, durationUs } from './window.ts'

/** Windows and delays are bounded, because every event within them is kept. */
const WINDOW_MAX_US = 90 * DAY_US
const DELAY_MAX_US = 90 * DAY_US
const DEPTH_MAX = 50

const numericKinds: readonly string[] = ['money', 'integer', 'number', 'boolean']
const entityKinds: readonly string[] = ['key', 'category', 'text']
const distinctKinds: readonly string[] = [...entityKinds, 'integer']

/** Checks the expressions of one feature; what is wrong goes to `report`, a sentence each. */
export class AggregateChecker {
  private readonly source: CompiledSource
  private readonly labels: Map<string, LabelsDeclaration>
  private readonly report: (sentence: string) => void
  private filtering = false

  /** Labels that are used are gathered in `labels`. */
  constructor(
    source: CompiledSource,
    labels: Map<string, LabelsDeclaration>,
    report: (sentence: string) => void,
  ) {
    this.source = source
    this.labels = labels
    this.report = report
  }

  /** The checked expression, or undefined where something in it was reported. */
  expression(node: Draft, depth = 0): Expression | undefined {
    if (depth > DEPTH_MAX) return this.refuse('its expression is nested too deep; split it.')
    switch (node.op) {
      case 'constant':
        if (Number.isFinite(node.value)) return { op: 'constant', value: node.value }
        return this.refuse(`${node.value} is not a number to calculate with.`)
      case 'column':
        if (this.column(node.column, numericKinds, 'a number') === undefined) return undefined
        return { op: 'column', column: node.column }
      case 'isOneOf':
        if (this.column(node.column, entityKinds, 'a text') === undefined) return undefined
        return { op: 'isOneOf', column: node.column, values: [...new Set(node.values)].sort() }
      case 'calendar':
        return { op: 'calendar', part: node.part }
      case 'aggregate':
        return this.aggregate(node.aggregate, depth)
      case 'choose': {
        const condition = this.expression(node.condition, depth + 1)
        const then = this.expression(node.then, depth + 1)
        const otherwise = this.expression(node.otherwise, depth + 1)
        if (condition === undefined || then === undefined) return undefined
        return otherwise && { op: 'choose', condition, then, otherwise }
      }
      case 'absolute':
      case 'squareRoot':
      case 'log1p':
      case 'not':
      case 'isMissing': {
        const of = this.expression(node.of, depth + 1)
        return of && { op: node.op, of }
      }
      default: {
        const left = this.expression(node.left, depth + 1)
        const right = this.expression(node.right, depth + 1)
        return left && right && { op: node.op, left, right }
      }
    }
  }

  private aggregate(draft: DraftAggregate, depth: number): Expression | undefined {
    if (this.filtering) {
      return this.refuse(
        'a filter looks at one event’s own columns and time; it cannot hold another aggregate.',
      )
    }
    const per = this.keys(draft.per)
    const column = this.argument(draft)
    const label = this.label(draft.label)
    const where = this.filter(draft.where, depth)
    const condition = this.filter(draft.condition, depth)
    const windowUs = this.duration(draft.window, 'window', WINDOW_MAX_US)
    const delayUs = draft.delay === null ? 0 : this.duration(draft.delay, 'delay', DELAY_MAX_US)
    if (per === undefined || column === undefined || label === undefined) return undefined
    if (where === undefined || condition === undefined) return undefined
    if (windowUs === undefined || delayUs === undefined) return undefined
    const fn = draft.function as AggregateFunction
    if (!this.timing(draft, fn, windowUs, delayUs)) return undefined
    const aggregate: Aggregate = {
      function: fn,
      per,
      column,
      label,
      condition,
      where,
      windowUs,
      delayUs,
      // A delayed window ends before the current event, so both spellings mean the same.
      current: delayUs > 0 ? 'included' : draft.current,
    }
    return { op: 'aggregate', aggregate }
  }

  private timing(
    draft: DraftAggregate,
    fn: AggregateFunction,
    windowUs: number,
    delayUs: number,
  ): boolean {
    if (fn === 'timeSinceLast' && delayUs > 0) {
      this.report('timeSinceLast looks back from the event itself; leave out delayed().')
      return false
    }
    if (draft.label === null) return true
    const known = parseDuration(draft.label.options.delay)
    if (windowUs + delayUs > known) return true
    const lateness = durationInWords(known)
    this.report(
      `the labels ${quote(draft.label.name)} arrive ${lateness} after their event, so none is ever ` +
        `known in this window; add .delayed('${draft.label.options.delay}').`,
    )
    return false
  }

  private keys(per: readonly string[]): readonly string[] | undefined {
    const known = per.map((name) => this.column(name, entityKinds, 'a key'))
    if (known.includes(undefined)) return undefined
    const unique = [...new Set(per)].sort()
    if (unique.length === per.length && unique.length > 0) return unique
    return this.refuse('per() names a key twice or none at all; name each key once.')
  }

  private argument(draft: DraftAggregate): string | null | undefined {
    if (draft.column === null) return null
    const distinct = draft.function === 'distinct'
    const kinds = distinct ? distinctKinds : numericKinds
    const wanted = distinct ? 'something to tell apart' : 'a number'
    return this.column(draft.column, kinds, wanted)?.name
  }

  private label(declaration: LabelsDeclaration | null): string | null | undefined {
    if (declaration === null) return null
    const of = declaration.options.of.name
    if (of !== this.source.name) {
      return this.refuse(
        `the labels ${quote(declaration.name)} belong to the source ${quote(of)}, not to ` +
          `${quote(this.source.name)}; use labels of this source.`,
      )
    }
    const known = this.labels.get(declaration.name)
    if (known !== undefined && known !== declaration) {
      return this.refuse(`two declarations are named ${quote(declaration.name)}; rename one.`)
    }
    this.labels.set(declaration.name, declaration)
    return declaration.name
  }

  private filter(node: Draft | null, depth: number): Expression | null | undefined {
    if (node === null) return null
    this.filtering = true
    const expression = this.expression(node, depth + 1)
    this.filtering = false
    return expression
  }

  private duration(text: string, what: string, maxUs: number): number | undefined {
    const us = durationUs(text)
    if (us === undefined) {
      return this.refuse(`${quote(text)} is not a ${what}; write it like '30m', '24h' or '7d'.`)
    }
    if (us > 0 && us <= maxUs) return us
    return this.refuse(
      `a ${what} of ${quote(text)} is not possible; choose more than nothing and at most ` +
        `${durationInWords(maxUs)}.`,
    )
  }

  private column(
    name: string,
    kinds: readonly string[],
    wanted: string,
  ): CompiledColumn | undefined {
    const column = this.source.columns.find((candidate) => candidate.name === name)
    const fitting = this.source.columns.filter((candidate) => kinds.includes(candidate.kind))
    const names = fitting.map((candidate) => quote(candidate.name)).join(', ')
    const choice = names === '' ? 'The source has none.' : `Choose from ${names}.`
    if (column === undefined) {
      return this.refuse(
        `the source ${quote(this.source.name)} has no column ${quote(name)}. ${choice}`,
      )
    }
    if (kinds.includes(column.kind)) return column
    return this.refuse(`column ${quote(name)} is ${column.kind}, not ${wanted}. ${choice}`)
  }

  private refuse(sentence: string): undefined {
    this.report(sentence)
    return undefined
  }
}

function quote(text: string): string {
  return JSON.stringify(text)
}
