// Rules are CEL text over `event`, `features`, `score` and lists, checked when a policy is compiled and
// evaluated by the decide process. CEL cannot loop, call out or change anything, so a rule is data, not code.
import { Environment } from '@marcbachmann/cel-js'
import type { ASTNode } from '@marcbachmann/cel-js'
import type { CompiledColumn, CompiledSource, Row } from '../data/index.ts'
import type { CompiledFeatureSet } from '../features/index.ts'
import { decisionErrors } from './errors.ts'
import type { CompiledList, CompiledPolicy, CompiledRule } from './policy.ts'

/** What rules look at beside the event and its features. */
export interface RuleScope {
  /** NaN where no model answered. */
  readonly score: number
  /** Whether a value is on a list now. */
  isListed(list: string, value: string): boolean
}

/** What became of all rules on one event. */
export interface Evaluated {
  /** In declared order. */
  readonly fired: readonly CompiledRule[]
  /** Those whose calculation failed; they did not fire. */
  readonly failed: readonly RuleFailure[]
  /** Names of the lists on which the event was found by a rule that asked. */
  readonly listed: readonly string[]
}

/** A rule that could not be calculated on an event; the error is what CEL says of it. */
export interface RuleFailure {
  readonly rule: string
  readonly error: unknown
}

/** The rules of a policy, ready for vectors of one order of features. */
export interface ReadyRules {
  evaluate(row: Row, features: Float64Array, scope: RuleScope): Evaluated
}

const EXPRESSION_LENGTH_MAX = 2000

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
  'listed',
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
  policy: RulesOfPolicy,
  source: CompiledSource,
  featureSets: readonly CompiledFeatureSet[],
): void {
  const names = featureSets.flatMap((set) => set.features.map((feature) => feature.name))
  readyRules(policy, source, names)
}

type RulesOfPolicy = Pick<CompiledPolicy, 'rules' | 'lists'>

/**
 * Compiles rules for evaluation; `featureNames` gives the order of the vectors they will see.
 * Money is a double in major units, an empty number is NaN (every comparison with it is false),
 * an empty text is "".
 */
export function readyRules(
  { rules, lists = [] }: RulesOfPolicy,
  source: CompiledSource,
  featureNames: readonly string[],
): ReadyRules {
  const vocabulary = createVocabulary(source, featureNames, lists)
  const parsed = rules.map((rule) => ({ rule, evaluate: parseRule(rule, vocabulary) }))
  const used = { event: new Set<string>(), features: new Set<string>() }
  for (const { rule, evaluate } of parsed) noteNames(evaluate.ast, rule, vocabulary, used)
  const columns = [...used.event].map((each) => [each, vocabulary.columns.get(each)!] as const)
  const features = [...used.features].map(
    (each) => [each, vocabulary.featureIndex.get(each)!] as const,
  )
  const { looking } = vocabulary
  return {
    evaluate(row, vector, scope) {
      const event = new vocabulary.event()
      for (const [each, reader] of columns) {
        const value = reader.read(row)
        if (value !== undefined) event[each] = value
      }
      const held = new vocabulary.features()
      for (const [each, index] of features) held[each] = vector[index]!
      const seen = { event, features: held, score: scope.score }
      const fired: CompiledRule[] = []
      const failed: RuleFailure[] = []
      looking.at = { row, scope, found: new Set() }
      for (const { rule, evaluate } of parsed) {
        try {
          if (evaluate(seen) === true) fired.push(rule)
        } catch (error) {
          // What CEL calls an error (an overflow, int(NaN)) makes the condition not hold. Rules that
          // lack a value must not stop a payment by failing.
          failed.push({ rule: rule.name, error })
        }
      }
      return { fired, failed, listed: [...looking.at.found] }
    },
  }
}

/** Why a rule could not be calculated, in a line; made when somebody asks, because decisions do not wait for it. */
export function whyRuleFailed({ error }: RuleFailure): string {
  const { summary, message } = error as { summary?: string; message: string }
  return (summary ?? message).split('\n')[0]
}

type Value = number | bigint | string | boolean | Date
type Holder = Record<string, Value>

interface Vocabulary {
  readonly environment: Environment
  readonly event: new () => Holder
  readonly features: new () => Holder
  readonly columns: ReadonlyMap<string, ColumnReader>
  readonly featureIndex: ReadonlyMap<string, number>
  readonly lists: ReadonlyMap<string, CompiledList>
  /** The event that is looked at, for the functions that rules call. */
  readonly looking: { at: Looking }
}

interface Looking {
  readonly row: Row
  readonly scope: RuleScope
  readonly found: Set<string>
}

const nothing: Looking = {
  row: [],
  scope: { score: Number.NaN, isListed: () => false },
  found: new Set(),
}

function createVocabulary(
  source: CompiledSource,
  featureNames: readonly string[],
  declared: readonly CompiledList[],
): Vocabulary {
  const lists = new Map(declared.map((each) => [each.name, each]))
  const looking = { at: nothing }
  const places = new Map(source.columns.map(({ name }, index) => [name, index]))
  const isListed = (name: string): boolean => {
    const { row, scope, found } = looking.at
    const value = row[places.get(lists.get(name)!.column)!]
    if (value === undefined || !scope.isListed(name, String(value))) return false
    found.add(name)
    return true
  }
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
    .registerVariable('score', 'double')
    .registerFunction('isMissing(double): bool', (value: number) => Number.isNaN(value))
    .registerFunction('listed(string): bool', isListed)
  return {
    environment,
    event,
    features,
    columns,
    featureIndex: new Map(featureNames.map((name, index) => [name, index])),
    lists,
    looking,
  }
}

interface ColumnReader {
  readonly type: 'int' | 'double' | 'string' | 'bool' | 'google.protobuf.Timestamp'
  /** Undefined where an example lacks what no event may lack: a rule that asks for it fails. */
  read(row: Row): Value | undefined
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
        read: (row) =>
          row[index] === undefined ? undefined : new Date(Math.floor(Number(row[index]) / 1000)),
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
    : {
        type: 'int',
        read: (row) => {
          const value = number(row)
          return Number.isNaN(value) ? undefined : BigInt(value)
        },
      }
}

function parseRule(rule: CompiledRule, vocabulary: Vocabulary) {
  const { when } = rule
  if (typeof when !== 'string' || when.trim() === '' || when.length > EXPRESSION_LENGTH_MAX) {
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

/** `at` is the character of the expression, from 1, where it is known. */
function invalid(rule: { readonly name: string }, detail: string, at: number | null = null) {
  return decisionErrors.rule_invalid(`rule "${rule.name}": ${detail}`, {
    extra: { rule: rule.name, at },
  })
}

function explained(rule: CompiledRule, error: unknown, vocabulary: Vocabulary): Error {
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
  const at = range === undefined ? null : range.start + 1
  return invalid(rule, `${what}${place}.${known(what, vocabulary)}`, at)
}

function known(what: string, { columns, featureIndex }: Vocabulary): string {
  if (/unknown variable/i.test(what)) return ' A rule may use event, features and score'
  if (!/no such key/i.test(what)) return ''
  return ` event has ${[...columns.keys()].join(', ')}; features has ${[...featureIndex.keys()].join(', ') || 'none'}`
}

/** Notes the columns and features that an expression reads; refuses calls that are not offered. */
function noteNames(
  root: ASTNode,
  rule: CompiledRule,
  vocabulary: Vocabulary,
  used: { readonly event: Set<string>; readonly features: Set<string> },
): void {
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
      if (called === 'listed') checkListed(args[1] as ASTNode[], rule, vocabulary)
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
}

/** A list is named in quotes: which lists a rule asks must be plain to whoever reads it. */
function checkListed(args: readonly ASTNode[], rule: CompiledRule, { lists }: Vocabulary): void {
  const [of] = args
  const name = of?.op === 'value' ? of.args : undefined
  if (typeof name === 'string' && lists.has(name)) return
  const known = [...lists.keys()].join(', ') || 'none'
  throw invalid(rule, `listed(…) needs the name of a declared list, in quotes; there are: ${known}`)
}
