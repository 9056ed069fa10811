import type { CompiledColumn, CompiledSource, LabelsDeclaration } from '../data/index.ts'
import { compileLabels, compileSource } from '../data/index.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { contentHash } from '../lib/hash.ts'
import { ExpressionChecker } from './compile-expression.ts'
import type {
  CompiledFeature,
  CompiledFeatureSet,
  CompiledInput,
  CompiledLabelUse,
  CompiledSideSource,
  Expression,
} from './compiled.ts'
import type { FeatureSetDeclaration } from './declare.ts'
import { describeExpression } from './describe.ts'
import { fail } from './errors.ts'
import type { Feature } from './feature.ts'
import { columnsOf, operatorsOf, visit } from './expressions.ts'
import { whyNoFeature } from './not-a-feature.ts'
import { placeholderMistake } from './say.ts'
import { unitOf } from './unit.ts'

/** No more features in one set: a vector is calculated for every event. */
const FEATURES_MAX = 1000

/**
 * Checks a feature set and turns it into canonical JSON. All mistakes are reported at once, as
 * `feature_invalid` with a sentence for each that names the set, the feature and the remedy;
 * `feature_set_invalid` where the set itself is at fault.
 */
export function compileFeatureSet(declaration: FeatureSetDeclaration): CompiledFeatureSet {
  const source = compileSource(declaration.source)
  checkSet(declaration)
  const found = new Set<string>()
  const gathered = {
    labels: new Map<string, LabelsDeclaration>(),
    sources: new Map<string, CompiledSource>(),
  }
  const sources: SourcesByName = (name) => (name === null ? source : gathered.sources.get(name)!)
  const features = declaration.features.map((feature) => {
    const where = `Feature ${quote(feature.name)} of set ${quote(declaration.name)}`
    const report = (sentence: string): void => void found.add(`${where}: ${sentence}`)
    const checker = new ExpressionChecker(source, { ...gathered, parts: 0 }, report)
    checkName(feature, report)
    const expression = checker.expression(feature.node)
    return expression === undefined ? undefined : compileFeature(feature, expression, sources)
  })
  const mistakes = [...found]
  if (mistakes.length > 0) throw fail.feature_invalid(mistakes.join('\n'), { extra: { mistakes } })
  return seal({
    kind: 'featureSet',
    name: declaration.name,
    description: declaration.description,
    ...(declaration.owner !== null && { owner: declaration.owner }),
    source: source.name,
    timeZone: source.timeZone,
    ...inputsRead(
      features.map((feature) => feature!.expression),
      sources,
    ),
    labels: labelsOf(gathered.labels),
    operators: operatorsUsed(features as CompiledFeature[]),
    features: features as CompiledFeature[],
  })
}

/**
 * One set that calculates everything that the given sets do, each feature once. Features of one name
 * must mean the same (`feature_sets_conflict`), and all sets must read the same source.
 */
export function mergeSets(sets: readonly CompiledFeatureSet[]): CompiledFeatureSet {
  const [first] = sets
  if (first === undefined) throw fail.feature_sets_conflict('There is no feature set to merge.')
  if (sets.length === 1) return first
  const features = new Map<string, CompiledFeature>()
  for (const set of sets) {
    if (set.source !== first.source || set.timeZone !== first.timeZone) {
      throw fail.feature_sets_conflict(
        `Set ${quote(set.name)} reads the source ${quote(set.source)} (${set.timeZone}) and set ` +
          `${quote(first.name)} reads ${quote(first.source)} (${first.timeZone}).`,
      )
    }
    for (const feature of set.features) addOnce(features, feature, set)
  }
  const all = [...features.values()]
  return seal({
    kind: 'featureSet',
    name: sets.map((set) => set.name).join('+'),
    description: '',
    source: first.source,
    timeZone: first.timeZone,
    inputs: united(
      sets,
      (set) => set.inputs,
      (input) => input.column,
    ),
    ...sourcesUnited(sets),
    labels: united(
      sets,
      (set) => set.labels,
      (label) => label.name,
    ),
    operators: operatorsUsed(all),
    features: all,
  })
}

function seal(content: Omit<CompiledFeatureSet, 'version'>): CompiledFeatureSet {
  return { ...content, version: contentHash(content) }
}

function checkSet(declaration: FeatureSetDeclaration): void {
  const { name, features } = declaration
  const mistakes: string[] = []
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,62}$/.test(name)) {
    mistakes.push('use a name of letters, digits, hyphens and underscores.')
  }
  if (features.length === 0) mistakes.push('it has no features; return at least one.')
  if (features.length > FEATURES_MAX) {
    mistakes.push(`it has ${features.length} features; split it into sets of ${FEATURES_MAX}.`)
  }
  const seen = new Set<string>()
  for (const [index, feature] of features.entries()) {
    const why = whyNoFeature(feature)
    if (why !== undefined) {
      const before = features[index - 1]?.name
      mistakes.push(
        `item ${index + 1}${before === undefined ? '' : `, after ${quote(before)},`} ${why}.`,
      )
      continue
    }
    if (seen.has(feature.name)) {
      mistakes.push(`two features are named ${quote(feature.name)}; rename one of them.`)
    }
    seen.add(feature.name)
  }
  if (mistakes.length === 0) return
  const where = `Feature set ${quote(name)}`
  const detail = mistakes.map((sentence) => `${where}: ${sentence}`).join('\n')
  throw fail.feature_set_invalid(detail, { extra: { mistakes } })
}

function checkName(feature: Feature, report: (sentence: string) => void): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,119}$/.test(feature.name)) {
    report('use a name of letters, digits and underscores, at most 120 of them.')
  }
  for (const text of [feature.words?.text, feature.words?.missing, feature.words?.zero]) {
    const mistake = text == null ? undefined : placeholderMistake(text)
    if (mistake !== undefined) report(mistake)
  }
}

/** The set's own source by null, others by their names. */
type SourcesByName = (name: string | null) => CompiledSource

function compileFeature(
  feature: Feature,
  expression: Expression,
  sources: SourcesByName,
): CompiledFeature {
  const { unit, currency, categories } = unitOf(expression, (name) => sources(name).columns)
  const source = sources(null)
  const meaning = {
    source: source.name,
    timeZone: source.timeZone,
    expression,
    operators: operatorsOf(expression),
    ...inputsRead([expression], sources),
  }
  return {
    name: feature.name,
    version: contentHash(meaning),
    expression,
    unit,
    currency,
    description: feature.description ?? describeExpression(expression),
    words: feature.words,
    ...(categories === undefined ? {} : { categories }),
  }
}

/** The columns that expressions read, sorted by name; those of other sources apart. */
function inputsRead(
  expressions: readonly Expression[],
  sources: SourcesByName,
): Pick<CompiledFeatureSet, 'inputs' | 'sources'> {
  const names = new Map<string | null, Set<string>>([[null, new Set()]])
  const add = (source: string | null, columns: readonly string[]): void => {
    const known = names.get(source) ?? new Set()
    names.set(source, known)
    for (const column of columns) known.add(column)
  }
  for (const expression of expressions) {
    visit(expression, (node, source) => {
      add(source, columnsOf(node))
      if (node.op !== 'aggregate') return
      const { per, by, column } = node.aggregate
      const inside = node.aggregate.source ?? source
      add(source, by ?? [])
      add(inside, column === null ? per : [...per, column])
    })
  }
  const inputs = (source: string | null): CompiledInput[] =>
    [...names.get(source)!]
      .sort()
      .map((name) => inputOf(sources(source).columns.find((column) => column.name === name)!))
  const others = [...names.keys()].filter((name) => name !== null).sort()
  if (others.length === 0) return { inputs: inputs(null) }
  return {
    inputs: inputs(null),
    sources: others.map((name) => {
      return { source: name, timeZone: sources(name).timeZone, inputs: inputs(name) }
    }),
  }
}

function inputOf(column: CompiledColumn): CompiledInput {
  const { name, kind } = column
  if (kind === 'id' || kind === 'eventTime' || kind === 'arrivalTime')
    throw new Error(`${name} is no feature input.`)
  return {
    column: name,
    kind,
    type: kind === 'key' ? column.type : null,
    currency: kind === 'money' ? column.currency : null,
    exponent: kind === 'money' ? column.exponent : null,
  }
}

function labelsOf(labels: ReadonlyMap<string, LabelsDeclaration>): CompiledLabelUse[] {
  return [...labels.values()]
    .map((declaration) => {
      const { name, values, positive, delayUs } = compileLabels(declaration)
      return { name, positive: values[positive], delayUs }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function operatorsUsed(features: readonly CompiledFeature[]): Record<string, number> {
  const used: Record<string, number> = {}
  for (const feature of features) Object.assign(used, operatorsOf(feature.expression))
  return used
}

function addOnce(
  features: Map<string, CompiledFeature>,
  feature: CompiledFeature,
  set: CompiledFeatureSet,
): void {
  const known = features.get(feature.name)
  if (known !== undefined && known.version !== feature.version) {
    throw fail.feature_sets_conflict(
      `Set ${quote(set.name)} declares ${quote(feature.name)} differently from an earlier set.`,
    )
  }
  if (known === undefined) features.set(feature.name, feature)
}

function sourcesUnited(sets: readonly CompiledFeatureSet[]): Pick<CompiledFeatureSet, 'sources'> {
  const names = new Set(sets.flatMap((set) => (set.sources ?? []).map(({ source }) => source)))
  if (names.size === 0) return {}
  const sources = [...names].sort().map((source): CompiledSideSource => {
    const readers = sets.filter((set) => set.sources?.some((side) => side.source === source))
    const sideOf = (set: CompiledFeatureSet): CompiledSideSource =>
      set.sources!.find((side) => side.source === source)!
    const inputs = united(
      readers,
      (set) => sideOf(set).inputs,
      (input) => input.column,
    )
    const { timeZone } = sideOf(readers[0])
    const other = readers.find((set) => sideOf(set).timeZone !== timeZone)
    if (other === undefined) return { source, timeZone, inputs }
    throw fail.feature_sets_conflict(
      `Set ${quote(other.name)} was compiled for another time zone of ${quote(source)}.`,
    )
  })
  return { sources }
}

/** The items of all sets, one a name, sorted by it; items of one name must be equal. */
function united<Item>(
  sets: readonly CompiledFeatureSet[],
  itemsOf: (set: CompiledFeatureSet) => readonly Item[],
  nameOf: (item: Item) => string,
): Item[] {
  const items = new Map<string, Item>()
  for (const set of sets) {
    for (const item of itemsOf(set)) {
      const known = items.get(nameOf(item))
      if (known !== undefined && canonicalJson(known) !== canonicalJson(item)) {
        throw fail.feature_sets_conflict(
          `Set ${quote(set.name)} was compiled for another form of ${quote(nameOf(item))}.`,
        )
      }
      items.set(nameOf(item), item)
    }
  }
  return [...items].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item)
}

function quote(name: string): string {
  return JSON.stringify(name)
}
