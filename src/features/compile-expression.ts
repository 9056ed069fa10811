import type { CompiledColumn, CompiledSource, LabelsDeclaration } from '../data/index.ts'
import { durationInWords } from '../lib/time.ts'
import { entityKinds, numericKinds } from './columns.ts'
import { WINDOW_MAX_US, compileAggregate } from './compile-aggregate.ts'
import type { Expression } from './compiled.ts'
import { compileGraphAggregate } from './graph/compile.ts'
import type { DraftGraphAggregate } from './graph/declare.ts'
import type { Draft } from './values.ts'
import { durationUs } from './window.ts'

const DEPTH_MAX = 50
const PARTS_MAX = 1000

/** What the features of a set gather while they are checked. */
export interface Gathered {
  /** Labels in use, by name. */
  readonly labels: Map<string, LabelsDeclaration>
  /** Other sources in use, by name. */
  readonly sources: Map<string, CompiledSource>
  /** Parts of the feature's expression that were met, each as often as it is written out. */
  parts: number
}

/**
 * What an expression is for: a value as of the event, a filter that each event settles for itself,
 * or a figure that is kept with each event.
 */
export type Purpose = 'value' | 'filter' | 'kept'

/** Checks the expressions of one feature; what is wrong goes to `report`, a sentence each. */
export class ExpressionChecker {
  /** The source whose columns the expression reads. */
  readonly source: CompiledSource
  /** Whether that is another source than the set's. */
  readonly aside: boolean
  readonly purpose: Purpose
  readonly gathered: Gathered
  private readonly report: (sentence: string) => void
  private readonly depth: number

  constructor(
    source: CompiledSource,
    gathered: Gathered,
    report: (sentence: string) => void,
    aside = false,
    purpose: Purpose = 'value',
    depth = 0,
  ) {
    this.source = source
    this.gathered = gathered
    this.report = report
    this.aside = aside
    this.purpose = purpose
    this.depth = depth
  }

  /** For what is inside an aggregate over the events of `source`. */
  inside(source: CompiledSource, purpose: Purpose): ExpressionChecker {
    const aside = this.aside || source !== this.source
    return new ExpressionChecker(source, this.gathered, this.report, aside, purpose, this.depth + 1)
  }

  /** The checked expression, or undefined where something in it was reported. */
  expression(node: Draft, depth = this.depth): Expression | undefined {
    if (depth > DEPTH_MAX) return this.refuse('its expression is nested too deep; split it.')
    // A value that is used twice in a value that is used twice … grows beyond any bound.
    if (++this.gathered.parts > PARTS_MAX) {
      return this.refuse(`its expression has more than ${PARTS_MAX} parts; split it.`)
    }
    const inner = (child: Draft): Expression | undefined => this.expression(child, depth + 1)
    switch (node.op) {
      case 'constant':
        if (Number.isFinite(node.value)) return { op: 'constant', value: node.value }
        return this.refuse(`${node.value} is not a number to calculate with.`)
      case 'missing':
      case 'calendar':
        return node
      case 'column':
        if (this.column(node.column, numericKinds, 'a number') === undefined) return undefined
        return { op: 'column', column: node.column }
      case 'isOneOf':
        return this.isOneOf(node.column, node.values)
      case 'sameText':
        return this.sameText(node.left, node.right)
      case 'categoryIndex': {
        const column = this.column(node.column, ['category'], 'a category')
        if (column?.kind !== 'category') return undefined
        return { op: 'categoryIndex', column: column.name, values: column.values }
      }
      case 'aggregate': {
        const aggregate = compileAggregate(node.aggregate, this)
        return aggregate && { op: 'aggregate', aggregate }
      }
      case 'graph':
        return this.graph(node.graph)
      case 'choose': {
        const condition = inner(node.condition)
        const then = inner(node.then)
        const otherwise = inner(node.otherwise)
        if (condition === undefined || then === undefined) return undefined
        return otherwise && { op: 'choose', condition, then, otherwise }
      }
      case 'absolute':
      case 'squareRoot':
      case 'log1p':
      case 'exp':
      case 'ln':
      case 'sign':
      case 'not':
      case 'isMissing': {
        const of = inner(node.of)
        return of && { op: node.op, of }
      }
      default: {
        const left = inner(node.left)
        const right = inner(node.right)
        return left && right && { op: node.op, left, right }
      }
    }
  }

  private graph(draft: DraftGraphAggregate): Expression | undefined {
    if (this.purpose === 'filter') {
      return this.refuse(
        'a filter looks at one event’s own columns and time; it cannot hold a figure of a graph.',
      )
    }
    if (this.aside) {
      return this.refuse(
        `a graph is made of the set’s own events; those of ${quote(this.source.name)} cannot be ` +
          'its edges.',
      )
    }
    const graph = compileGraphAggregate<Expression>(draft, {
      vertex: (name) => this.column(name, entityKinds, 'a key')?.name,
      amount: (name) => this.column(name, ['money', 'integer'], 'a whole number')?.name,
      filter: (where) =>
        where === null ? null : this.inside(this.source, 'filter').expression(where),
      windowUs: (text) => this.duration(text, 'window', WINDOW_MAX_US),
      report: (sentence) => this.refuse(sentence),
    })
    return graph && { op: 'graph', graph }
  }

  private isOneOf(name: string, values: readonly string[]): Expression | undefined {
    const column = this.column(name, entityKinds, 'a text')
    if (column === undefined) return undefined
    const stranger =
      column.kind === 'category' && values.find((value) => !column.values.includes(value))
    if (typeof stranger === 'string' && column.kind === 'category') {
      const known = column.values.map(quote).join(', ')
      return this.refuse(`column ${quote(name)} is never ${quote(stranger)}; choose from ${known}.`)
    }
    return { op: 'isOneOf', column: name, values: [...new Set(values)].sort() }
  }

  private sameText(left: string, right: string): Expression | undefined {
    const columns = [left, right].map((name) => this.column(name, entityKinds, 'a text'))
    if (columns.includes(undefined)) return undefined
    if (left !== right) return { op: 'sameText', left, right }
    return this.refuse(`column ${quote(left)} is compared with itself; name another column.`)
  }

  /** The column, or undefined where there is none or it is of another kind, which is reported. */
  column(name: string, kinds: readonly string[], wanted: string): CompiledColumn | undefined {
    const column = this.source.columns.find((candidate) => candidate.name === name)
    if (column !== undefined && kinds.includes(column.kind)) return column
    const fitting = this.source.columns.filter((candidate) => kinds.includes(candidate.kind))
    const names = fitting.map((candidate) => quote(candidate.name)).join(', ')
    const choice = names === '' ? 'The source has none.' : `Choose from ${names}.`
    if (column !== undefined) {
      return this.refuse(`column ${quote(name)} is ${column.kind}, not ${wanted}. ${choice}`)
    }
    return this.refuse(
      `the source ${quote(this.source.name)} has no column ${quote(name)}. ${choice}`,
    )
  }

  /** Microseconds, or undefined where the text is no duration or too long, which is reported. */
  duration(text: string, what: string, maxUs: number): number | undefined {
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

  refuse(sentence: string): undefined {
    this.report(sentence)
    return undefined
  }
}

function quote(text: string): string {
  return JSON.stringify(text)
}
