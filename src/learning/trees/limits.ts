/** What splits must keep to beyond gain: order, company and size, and how categories are parted. */
import type { Random } from '../../lib/random.ts'
import { fail } from '../errors.ts'
import type { SideLimits } from './evaluate.ts'
import { KIND, type Kernels, TERM, TERMS_LENGTH } from './kernels.ts'
import type { BoostedTreesParams, CategoryParams } from './model.ts'

export type Limits = {
  readonly kinds: Uint8Array
  readonly terms: Float64Array
  /** Bounds of the root's value. */
  readonly lower: number
  readonly upper: number
  readonly counted: boolean
  /** Groups of features that may meet on a path; absent: all may. */
  readonly groups?: readonly ReadonlySet<number>[]
  readonly nodeColumnSample: number
  /** Space to say which features a side may be split on, one a side. */
  readonly masks: readonly Uint8Array[]
}

/** What a node hands down: how its values are bounded and which groups its path has left. */
export type Inheritance = {
  readonly lower: number
  readonly upper: number
  readonly groups?: readonly ReadonlySet<number>[]
}

export const CATEGORY_DEFAULTS: CategoryParams = {
  oneHot: 4,
  smooth: 10,
  l2: 10,
  most: 32,
  groupRows: 100,
}

/** Undefined where there are none. Throws `learner_invalid` for features that do not fit. */
export function limitsOf(
  params: BoostedTreesParams,
  names: readonly string[],
  categorical: readonly string[],
  kernels: Kernels,
): Limits | undefined {
  const { monotone = {}, interactions, minChildRows = 1, nodeColumnSample = 1 } = params
  const { maxDeltaStep = Infinity } = params
  const ordered = Object.keys(monotone).length > 0
  const bounded = ordered || maxDeltaStep < Infinity
  const counted = minChildRows > 1
  const masked = interactions !== undefined || nodeColumnSample < 1
  if (!bounded && !counted && !masked && categorical.length === 0) return undefined

  const place = (name: string, what: string): number => {
    const index = names.indexOf(name)
    if (index >= 0) return index
    throw fail.learner_invalid(`The learner's "${what}" names "${name}", which is no feature.`)
  }
  const kinds = kernels.bytes(names.length)
  for (const name of categorical) kinds[names.indexOf(name)] = KIND.category
  for (const [name, direction] of Object.entries(monotone)) {
    const feature = place(name, 'monotone')
    if (kinds[feature] === KIND.category) {
      throw fail.learner_invalid(`The feature "${name}" holds categories, which have no order.`)
    }
    kinds[feature] = direction === 1 ? KIND.rising : KIND.falling
  }
  const terms = kernels.numbers(TERMS_LENGTH)
  const categories = { ...CATEGORY_DEFAULTS, ...params.categories }
  terms[TERM.l1] = params.l1
  terms[TERM.l2] = params.l2
  terms[TERM.gamma] = params.gamma
  terms[TERM.hessian] = params.minChildWeight
  terms[TERM.rows] = minChildRows
  terms[TERM.bounded] = bounded ? 1 : 0
  terms[TERM.oneHot] = categories.oneHot
  terms[TERM.smooth] = categories.smooth
  terms[TERM.categoryL2] = categories.l2
  terms[TERM.most] = categories.most
  terms[TERM.groupRows] = categories.groupRows
  const groups = interactions?.map(
    (group) => new Set(group.map((name) => place(name, 'interactions'))),
  )
  const alone = names.flatMap((_, feature) =>
    groups?.some((group) => group.has(feature)) === false ? [new Set([feature])] : [],
  )
  return {
    kinds,
    terms,
    lower: -maxDeltaStep,
    upper: maxDeltaStep,
    counted,
    ...(groups !== undefined && { groups: [...groups, ...alone] }),
    nodeColumnSample,
    masks: masked ? [0, 1].map(() => kernels.bytes(names.length)) : [],
  }
}

/** What the two children of a split inherit; their values, before the learning rate, are given. */
export function inherit(
  { kinds }: Limits,
  parent: Inheritance,
  feature: number,
  leftWeight: number,
  rightWeight: number,
): [left: Inheritance, right: Inheritance] {
  const { lower, upper } = parent
  const groups = parent.groups?.filter((group) => group.has(feature))
  const rest = groups === undefined ? {} : { groups }
  const kind = kinds[feature]
  if (kind !== KIND.rising && kind !== KIND.falling) {
    return [
      { lower, upper, ...rest },
      { lower, upper, ...rest },
    ]
  }
  // Whatever grows below the two children, their values stay on their own side of the middle.
  const middle = leftWeight + (rightWeight / 2 - leftWeight / 2)
  const low = { lower, upper: middle, ...rest }
  const high = { lower: middle, upper, ...rest }
  return kind === KIND.rising ? [low, high] : [high, low]
}

/** The limits of a node that is about to be searched; `side` says whose mask may be written. */
export function sideLimits(
  limits: Limits,
  node: Inheritance & { readonly from: number; readonly to: number },
  side: number,
  features: Uint32Array,
  counts: Uint32Array | undefined,
  random: Random | undefined,
): SideLimits {
  const { lower, upper } = node
  const own = { lower, upper, rows: node.to - node.from, ...(counts && { counts }) }
  if (limits.masks.length === 0) return own
  const allowed = limits.masks[side]
  const { groups } = node
  const open = Array.from(features).filter(
    (feature) => groups === undefined || groups.some((group) => group.has(feature)),
  )
  // Selection sampling (Knuth 2, 3.4.2, algorithm S): exactly so many, at least one.
  let wanted = Math.max(1, Math.round(limits.nodeColumnSample * open.length))
  allowed.fill(0)
  open.forEach((feature, index) => {
    const taken =
      wanted >= open.length - index || (random?.next() ?? 0) * (open.length - index) < wanted
    if (!taken || wanted === 0) return
    allowed[feature] = 1
    wanted--
  })
  return { ...own, allowed }
}
