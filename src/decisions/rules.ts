// Rules are CEL text over `event` and `features`, checked when a policy is compiled and evaluated by
// the decide process. CEL cannot loop, call out or change anything, so a rule is data, not code.
import { Environment } from '@marcbachmann/cel-js'
import type { ASTNode } from '@marcbachmann/cel-js'
import type { CompiledColumn, CompiledSource, Row } from '../data/index.ts'
import type { CompiledFeatureSet } from '../features/index.ts'
import { decisionErrors } from './errors.ts'
import type { CompiledRule, RuleDeclaration } from './policy.ts'

/** A rule made ready: whether it fires on an event whose features have been computed. */
export interface ReadyRule extends CompiledRule {
  /** One that cannot be evaluated on the event does not fire; `onFailed` is told its name. */
  fires(row: Row, features: Float64Array, onFailed?: (rule: string) => void): boolean
}

/** Structural bounds: a rule that passes them is evaluated in microseconds. */
const limits = {
  maxAstNodes: 500,
  maxDepth: 40,
  maxListElements: 200,
  maxMapEntries: 0,
  maxCallArguments: 4,
}

/**
 * The functions a rule may call. Left out on purpose: `matches` (a pattern may take for ever) and
 * the comprehension macros (their cost multiplies); `in` covers lists.
 */
const callable = new Set([
  'isMissing',
  'size',
  'contains',
  'startsWith',
  'endsWith',
  'lowerAscii',
  'upperAscii',
  'trim',
  'int',
  'double',
  'string',
  'timestamp',
  'duration',
  'getFullYear',
  'getMonth',
  'getDate',
  'getDayOfWeek',
  'getHours',
  'getMinutes',
])

/** Checks rules against the contract and the features they may name. Error: `rule_invalid`. */
export function checkRules(
  rules: readonly (RuleDeclaration | CompiledRule)[],
  source: CompiledSource,
  featureSets: readonly CompiledFeatureSet[],
): void {
  const names = featureSets.flatMap((set) => set.features.map((feature) => feature.name))
  readyRules(rules, source, names)
}

/**
 * Compiles rules for evaluation; `featureNames` gives the order of the vectors they will see.
 * Money is a double in major units, an empty number is NaN (every comparison with it is false),
 * an empty text is "".
 */
export function readyRules(
  rules: readonly (RuleDeclaration | CompiledRule)[],
  source: CompiledSource,
  featureNames: readonly string[],
): ReadyRule[] {
  const vocabulary = createVocabulary(source, featureNames)
  return rules.map((rule) => readyRule(rule, vocabulary))
}

type Value = number | bigint | string | boolean | Date
type Holder = Record<string, Value>

interface Vocabulary {
  readonly environment: Environment
  readonly event: new () => Holder
  readonly features: new () => Holder
  readonly columns: ReadonlyMap<string, ColumnReader>
  readonly featureIndex: ReadonlyMap<string, number>
}

function createVocabulary(source: CompiledSource, featureNames: readonly string[]): Vocabulary {
  // A rule must say the same of an event whenever it comes, so it does not see when it came.
  const columns = new Map(
    source.columns.flatMap((column, index) =>
      column.kind === 'arrivalTime' ? [] : [[column.name, columnReader(column, index)] as const],
    ),
  )
  // The checker tells objects apart by their constructor, so each vocabulary has classes of its own.
  const event = class {} as unknown as new () => Holder
  const features = class {} as unknown as new () => Holder
  const environment = new Environment({ unlistedVariablesAreDyn: false, limits })
    .registerType('Event', {
      ctor: event,
      fields: Object.fromEntries([...columns].map(([name, reader]) => [name, reader.type])),
    })
    .registerType('Features', {
      ctor: features,
      fields: Object.fromEntries(featureNames.map((name) => [name, 'double'])),
    })
    .registerVariable('event', 'Event')
    .registerVariable('features', 'Features')
    .registerFunction('isMissing(double): bool', (value: number) => Number.isNaN(value))
  return {
    environment,
    event,
    features,
    columns,
    featureIndex: new Map(featureNames.map((name, index) => [name, index])),
  }
}

interface ColumnReader {
  readonly type: 'int' | 'double' | 'string' | 'bool' | 'google.protobuf.Timestamp'
  read(row: Row): Value
}

function columnReader(
  column: Exclude<CompiledColumn, { kind: 'arrivalTime' }>,
  index: number,
): ColumnReader {
  const number = (row: Row) => (row[index] === undefined ? Number.NaN : Number(row[index]))
  switch (column.kind) {
    case 'money': {
      const scale = 10 ** column.exponent
      return { type: 'double', read: (row) => number(row) / scale }
    }
    case 'number':
      return { type: 'double', read: number }
    case 'boolean':
      return { type: 'bool', read: (row) => row[index] === 1 }
    case 'eventTime':
      return {
        type: 'google.protobuf.Timestamp',
        read: (row) => new Date(Math.floor(Number(row[index]) / 1000)),
      }
    case 'integer':
      return integerReader(column.nullable, number)
    case 'key':
      return column.type === 'integer'
        ? integerReader(column.nullable, number)
        : { type: 'string', read: (row) => String(row[index] ?? '') }
    case 'id':
    case 'text':
    case 'category':
      return { type: 'string', read: (row) => String(row[index] ?? '') }
  }
}

/** Whole numbers are CEL ints; where they may be empty they are doubles, so that NaN can say so. */
function integerReader(nullable: boolean, number: (row: Row) => number): ColumnReader {
  return nullable
    ? { type: 'double', read: number }
    : { type: 'int', read: (row) => BigInt(number(row)) }
}

function readyRule(rule: RuleDeclaration | CompiledRule, vocabulary: Vocabulary): ReadyRule {
  const { name, when, then, reason } = rule
  const evaluate = parseRule(rule, vocabulary)
  const used = namesIn(evaluate.ast, rule, vocabulary)
  const columns = [...used.event].map((each) => [each, vocabulary.columns.get(each)!] as const)
  const features = [...used.features].map(
    (each) => [each, vocabulary.featureIndex.get(each)!] as const,
  )
  return {
    name,
    when,
    then,
    reason,
    fires(row, vector, onFailed) {
      const event = new vocabulary.event()
      for (const [each, reader] of columns) event[each] = reader.read(row)
      const held = new vocabulary.features()
      for (const [each, index] of features) held[each] = vector[index]!
      try {
        return evaluate({ event, features: held }) === true
      } catch {
        // What CEL calls an error (an overflow, int(NaN)) makes the condition not hold. Rules that
        // lack a value must not stop a payment by failing.
        onFailed?.(name)
        return false
      }
    },
  }
}

function parseRule(rule: RuleDeclaration | CompiledRule, vocabulary: Vocabulary) {
  if (typeof rule.when !== 'string' || rule.when.trim() === '' || rule.when.length > 2000) {
    throw invalid(rule, '"when" must be an expression of 1 to 2,000 characters')
  }
  let parsed: ReturnType<Environment['parse']>
  try {
    parsed = vocabulary.environment.parse(rule.when)
  } catch (error) {
    throw explained(rule, error, vocabulary)
  }
  const check = parsed.check()
  if (!check.valid) throw explained(rule, check.error, vocabulary)
  if (check.type !== 'bool') {
    throw invalid(rule, `the expression is a ${check.type}, it must be true or false (bool)`)
  }
  return parsed
}

function invalid(rule: { readonly name: string }, detail: string) {
  return decisionErrors.rule_invalid(`rule "${rule.name}": ${detail}`)
}

function explained(
  rule: RuleDeclaration | CompiledRule,
  error: unknown,
  vocabulary: Vocabulary,
): Error {
  const { summary, message, range } = error as {
    summary?: string
    message: string
    range?: { start: number; end: number }
  }
  const what = summary ?? message.split('\n')[0]
  const place =
    range === undefined
      ? ''
      : `, at "${rule.when.slice(range.start, Math.max(range.end, range.start + 1)) || 'the end'}" (character ${range.start + 1})`
  return invalid(rule, `${what}${place}.${known(what, vocabulary)}`)
}

function known(what: string, { columns, featureIndex }: Vocabulary): string {
  if (/unknown variable/i.test(what)) return ' A rule may use event and features'
  if (!/no such key/i.test(what)) return ''
  return ` event has ${[...columns.keys()].join(', ')}; features has ${[...featureIndex.keys()].join(', ') || 'none'}`
}

/** The columns and features that an expression reads; refuses calls that are not offered. */
function namesIn(
  root: ASTNode,
  rule: RuleDeclaration | CompiledRule,
  vocabulary: Vocabulary,
): { event: Set<string>; features: Set<string> } {
  const used = { event: new Set<string>(), features: new Set<string>() }
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      node.forEach(visit)
      return
    }
    if (typeof node !== 'object' || node === null || !('op' in node)) return
    const { op, args } = node as ASTNode
    if (op === 'call' || op === 'rcall') {
      const called = args[0]
      if (!callable.has(called)) {
        throw invalid(rule, `the function "${called}" is not offered to rules`)
      }
    }
    if (op === '.' || op === '[]') {
      const [of, by] = args as [ASTNode, ASTNode | string]
      const name = typeof by === 'string' ? by : by.op === 'value' ? by.args : undefined
      if (of.op === 'id' && (of.args === 'event' || of.args === 'features')) {
        const offered = of.args === 'event' ? vocabulary.columns : vocabulary.featureIndex
        if (typeof name !== 'string' || !offered.has(name)) {
          throw invalid(rule, `${of.args}[…] needs a name that is known, in quotes`)
        }
        used[of.args].add(name)
        return
      }
    } else if (op === 'id' && (args === 'event' || args === 'features')) {
      throw invalid(rule, `"${args}" stands alone; name one of its values, such as ${args}.…`)
    }
    visit(args)
  }
  visit(root)
  return used
}
