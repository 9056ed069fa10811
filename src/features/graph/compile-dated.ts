import type { ColumnKind, CompiledSource, SourceDeclaration } from '../../data/index.ts'
import { compileSource } from '../../data/index.ts'
import { contentHash } from '../../lib/hash.ts'
import { DAY_US, MINUTE_US, durationInWords } from '../../lib/time.ts'
import { entityKinds } from '../columns.ts'
import { ExpressionChecker } from '../compile-expression.ts'
import type { Expression } from '../compiled.ts'
import { EventScope } from '../declare.ts'
import { describeExpression } from '../describe.ts'
import { fail } from '../errors.ts'
import { durationUs } from '../window.ts'
import type { GraphSnapshotsDeclaration } from './dated-tables.ts'
import { keyTypeOf } from './dated-tables.ts'
import type { GraphMeasure, SnapshotOptions, VertexMeasure } from './snapshots.ts'
import { graphMeasures, vertexMeasures } from './snapshots.ts'

/** A year of edges fits one snapshot; a date takes seconds to work out. */
const WINDOW_MAX_US = 366 * DAY_US

/** Dated snapshots of a graph, as data. */
export interface CompiledGraphSnapshots {
  readonly kind: 'graphSnapshots'
  readonly name: string
  /** SHA-256 (hex) of all else in this object. */
  readonly version: string
  readonly description: string
  /** Name of the source whose events are the edges. */
  readonly of: string
  readonly from: string
  readonly to: string
  readonly apart: boolean
  /** Only events that fulfil this are edges. */
  readonly where: Expression | null
  /** Null where links are not weighed by amounts. */
  readonly amount: string | null
  readonly weigh: SnapshotOptions['weigh']
  readonly resolution: number
  readonly windowUs: number
  readonly everyUs: number
  readonly vertices: readonly VertexMeasure[]
  readonly graph: readonly GraphMeasure[]
}

/** The definition, and the tables that it fills: that of the vertices, of the graph, or both. */
export interface CompiledGraphTables {
  readonly snapshots: CompiledGraphSnapshots
  readonly tables: readonly CompiledSource[]
}

/**
 * Checks a declaration of dated snapshots. All mistakes are reported at once, as
 * `graph_snapshots_invalid` with a sentence for each that names the snapshots and the remedy.
 */
export function compileGraphSnapshots(declaration: GraphSnapshotsDeclaration): CompiledGraphTables {
  const { name, options } = declaration
  const { from, to, apart = false, amount, weigh = 'links', resolution = 1 } = options
  const mistakes = mistakesIn(declaration)
  const where = compileFilter(declaration, mistakes)
  if (mistakes.length > 0) {
    const detail = mistakes.map((each) => `Graph snapshots ${quote(name)}: ${each}`).join('\n')
    throw fail.graph_snapshots_invalid(detail, { extra: { mistakes } })
  }
  const { vertices = [], graph = [] } = options
  const content = {
    kind: 'graphSnapshots' as const,
    name,
    description: options.description ?? '',
    of: options.of.name,
    from,
    to,
    apart,
    where,
    amount: weigh === 'amounts' ? (amount ?? null) : null,
    weigh,
    resolution,
    windowUs: durationUs(options.window)!,
    everyUs: durationUs(options.every)!,
    vertices: [...vertices],
    graph: [...graph],
  }
  return {
    snapshots: { ...content, version: contentHash(content) },
    tables: [
      ...(vertices.length > 0 ? [compileTable(declaration.vertices, where)] : []),
      ...(graph.length > 0 ? [compileTable(declaration.graph, where)] : []),
    ],
  }
}

/** The checked filter; null without one, and where something in it was reported. */
function compileFilter(
  { options: { of, where } }: GraphSnapshotsDeclaration,
  mistakes: string[],
): Expression | null {
  if (where === undefined) return null
  const gathered = { labels: new Map(), sources: new Map(), parts: 0 }
  const report = (sentence: string): void => void mistakes.push(`where: ${sentence}`)
  const source = compileSource(of)
  const checker = new ExpressionChecker(source, gathered, report).inside(source, 'filter')
  return checker.expression(where(new EventScope(of.options.columns)).node) ?? null
}

function compileTable(table: SourceDeclaration, where: Expression | null): CompiledSource {
  if (where === null) return compileSource(table)
  const description = `${table.options.description}, where ${describeExpression(where)}`
  return compileSource({ ...table, options: { ...table.options, description } })
}

/** The names of the tables that snapshots fill. */
export function tablesOf({ name, vertices, graph }: CompiledGraphSnapshots): {
  readonly vertices: string | null
  readonly graph: string | null
} {
  return {
    vertices: vertices.length > 0 ? `${name}-vertices` : null,
    graph: graph.length > 0 ? `${name}-graph` : null,
  }
}

function mistakesIn({ name, options }: GraphSnapshotsDeclaration): string[] {
  const { from, to, apart, amount, weigh = 'links', resolution = 1 } = options
  const mistakes: string[] = []
  if (!/^[a-z][a-z0-9_-]{0,49}$/.test(name)) {
    mistakes.push('use a name of at most 50 lower-case letters, digits, - and _.')
  }
  if (from === to) {
    mistakes.push(`a graph from and to ${quote(to)} has no edges; name two columns.`)
  }
  mistakes.push(...columnMistake(options, from, entityKinds, 'a key'))
  mistakes.push(...columnMistake(options, to, entityKinds, 'a key'))
  const [fromType, toType] = [keyTypeOf(options, from), keyTypeOf(options, to)]
  if (mistakes.length === 0 && !apart && fromType !== toType) {
    mistakes.push(
      `${quote(from)} is ${fromType} and ${quote(to)} is ${toType}; declare both keys alike, or ` +
        'say apart: true where they name different things.',
    )
  }
  if (weigh === 'amounts' && amount === undefined) {
    mistakes.push("weigh: 'amounts' needs the column of the amounts; add amount.")
  }
  if (amount !== undefined) {
    mistakes.push(...columnMistake(options, amount, ['money', 'integer'], 'a whole number'))
    if (weigh !== 'amounts') mistakes.push("amount is read by weigh: 'amounts' alone; add that.")
  }
  if (!(resolution > 0 && Number.isFinite(resolution))) {
    mistakes.push(`resolution ${resolution} is not possible; choose a number above 0.`)
  }
  return [...mistakes, ...mistakesInTimes(options), ...mistakesInMeasures(options)]
}

type Options = GraphSnapshotsDeclaration['options']

function mistakesInTimes({ window, every }: Options): string[] {
  return Object.entries({ window, every }).flatMap(([what, text]) => {
    const us = durationUs(text)
    if (us === undefined) return [`${what} ${quote(text)} is no duration; write it like '30d'.`]
    if (us >= MINUTE_US && us <= WINDOW_MAX_US) return []
    const [least, most] = [MINUTE_US, WINDOW_MAX_US].map(durationInWords)
    return [`${what} ${quote(text)} is not possible; choose from ${least} to ${most}.`]
  })
}

function mistakesInMeasures({ vertices = [], graph = [] }: Options): string[] {
  const mistakes: string[] = []
  if (vertices.length + graph.length === 0) {
    mistakes.push('it works nothing out; name measures under vertices or graph.')
  }
  for (const [what, named, known] of [
    ['vertices', vertices, vertexMeasures],
    ['graph', graph, graphMeasures],
  ] as const) {
    const unknown = named.find((each) => !(known as readonly string[]).includes(each))
    if (unknown !== undefined) {
      mistakes.push(
        `there is no measure ${quote(unknown)} of ${what}; choose from ${known.join(', ')}.`,
      )
    }
    if (new Set(named).size < named.length) mistakes.push(`${what} names a measure twice.`)
  }
  return mistakes
}

function columnMistake(
  { of }: Options,
  name: string,
  kinds: readonly ColumnKind[],
  wanted: string,
): string[] {
  const columns = Object.entries(of.options.columns)
  const column = of.options.columns[name]
  if (column !== undefined && kinds.includes(column.kind)) return []
  const fitting = columns.filter(([, { kind }]) => kinds.includes(kind))
  const choice =
    fitting.length === 0
      ? 'The source has none.'
      : `Choose from ${fitting.map(([each]) => quote(each)).join(', ')}.`
  if (column !== undefined) {
    return [`column ${quote(name)} is ${column.kind}, not ${wanted}. ${choice}`]
  }
  return [`the source ${quote(of.name)} has no column ${quote(name)}. ${choice}`]
}

function quote(text: string): string {
  return JSON.stringify(text)
}
