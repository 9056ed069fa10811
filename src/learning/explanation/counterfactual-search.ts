/** The search for counterfactuals; what it promises is said in `counterfactual.ts`. */
import { fromRows, type Matrix, readRow } from '../../lib/matrix.ts'
import type { Predictor } from '../model.ts'
import type { Counterfactual } from './counterfactual.ts'
import type { FeatureSpace } from './counterfactual-space.ts'

export type Search = {
  readonly model: Predictor
  readonly row: Float64Array
  /** Not above 0 where the target is reached. */
  readonly gap: (outputs: Float64Array) => number
  readonly spaces: readonly FeatureSpace[]
  readonly data: Matrix
  readonly count: number
  readonly changesMax: number
  readonly evaluationsMax: number
}

/** Partial changes that are taken further. */
const BEAM = 24
/** Of these, so many at most with the same changed features. */
const ALIKE = 3
/** Share of the evaluations that the beam may take; the rest is for what comes after. */
const BEAM_SHARE = 0.7
/** Rows of the data that are tried as starting points, and those that are then made smaller. */
const STARTS_MAX = 5000
const STARTS_KEPT = 12
/** What is found of one set of features and made smaller. */
const FOUND_KEPT = 2
const SMALLER_MAX = 40
const BISECTIONS = 24

type State = {
  readonly row: Float64Array
  readonly changed: readonly number[]
  readonly gap: number
  readonly distance: number
}

export function searchCounterfactuals(search: Search): {
  found: Counterfactual[]
  evaluations: number
} {
  const judge = createJudge(search)
  const reached = new Map<string, State[]>()
  for (const state of beamSearch(search, judge)) keep(reached, state)
  if (minimalSets([...reached.values()].flat()).length < search.count) {
    for (const state of startsFromData(search, judge)) keep(reached, state)
  }
  const small = [...reached.values()].flatMap((states) =>
    states.toSorted(bySize).slice(0, FOUND_KEPT),
  )
  const smaller = small
    .toSorted(bySize)
    .slice(0, SMALLER_MAX)
    .map((state) => moveBack(search, judge, takeBack(search, judge, state)))
  const told = chooseApart(smaller.toSorted(bySize), search.count).map((state) =>
    tell(search, state),
  )
  return {
    // What is told is what the model says of the very row, asked alone.
    found: told.filter(({ outputs }) => search.gap(outputs) <= 0),
    evaluations: judge.evaluations(),
  }
}

/** Asks the model, within the bound. */
interface Judge {
  /** The states of those rows for which the bound, or a lower one, leaves room. */
  states(rows: readonly Float64Array[], bound?: number): State[]
  evaluations(): number
}

function createJudge({ model, row, gap, spaces, evaluationsMax }: Search): Judge {
  let evaluations = 0
  const width = model.outputs.length
  return {
    evaluations: () => evaluations,
    states(rows, bound = evaluationsMax) {
      const some = rows.slice(0, Math.max(0, bound - evaluations))
      if (some.length === 0) return []
      evaluations += some.length
      const outputs = model.predictMatrix(fromRows(model.features, some))
      return some.map((own, i) => {
        const changed = spaces.flatMap((_, j) => (Object.is(own[j], row[j]) ? [] : [j]))
        return {
          row: own,
          changed,
          gap: gap(outputs.subarray(i * width, (i + 1) * width)),
          distance: changed.reduce((sum, j) => sum + spaces[j].distance(row[j], own[j]), 0),
        }
      })
    },
  }
}

function bySize(a: State, b: State): number {
  return a.changed.length - b.changed.length || a.distance - b.distance || byChange(a, b)
}

/** Any fixed order: what is found must not depend on how it was come by. */
function byChange(a: State, b: State): number {
  const [first, second] = [keyOf(a), keyOf(b)]
  return first < second ? -1 : first > second ? 1 : 0
}

function keyOf({ changed, row }: State): string {
  return changed.map((j) => `${j}=${row[j]}`).join()
}

function keep(reached: Map<string, State[]>, state: State): void {
  const set = state.changed.join()
  reached.set(set, [...(reached.get(set) ?? []), state])
}

/** One change more at each step, until enough different sets of features have been found. */
function beamSearch(search: Search, judge: Judge): State[] {
  const { row, spaces, count, changesMax } = search
  const bound = Math.ceil(BEAM_SHARE * search.evaluationsMax)
  const tried = spaces.map((space, j) => space.candidates(row[j]))
  const found: State[] = []
  let beam: State[] = [{ row, changed: [], gap: Infinity, distance: 0 }]
  for (let changes = 1; changes <= changesMax && beam.length > 0; changes++) {
    const rows = new Map<string, Float64Array>()
    const enough = minimalSets(found)
    for (const state of beam) {
      for (let j = 0; j < spaces.length; j++) {
        const changed = [...state.changed, j].sort((a, b) => a - b)
        // What is found with fewer features is not looked for with more.
        if (state.changed.includes(j) || enough.some((set) => isWithin(set, changed))) continue
        for (const wanted of tried[j]) {
          const next = state.row.with(j, wanted)
          rows.set(changed.map((k) => `${k}=${next[k]}`).join(), next)
        }
      }
    }
    const states = judge.states([...rows.values()], bound)
    found.push(...states.filter(({ gap }) => gap <= 0))
    if (minimalSets(found).length >= count) break
    const open = states.filter(({ gap }) => gap > 0)
    beam = mostPromising(open.sort((a, b) => a.gap - b.gap || bySize(a, b)))
  }
  return found
}

/** The sets of changed features that contain no other of them. */
function minimalSets(states: readonly State[]): (readonly number[])[] {
  const sets = [...new Map(states.map(({ changed }) => [changed.join(), changed])).values()]
  return sets.filter((set) => !sets.some((other) => other !== set && isWithin(other, set)))
}

function isWithin(set: readonly number[], other: readonly number[]): boolean {
  return set.every((j) => other.includes(j))
}

function mostPromising(ordered: readonly State[]): State[] {
  const alike = new Map<string, number>()
  const chosen: State[] = []
  for (const state of ordered) {
    const set = state.changed.join()
    const before = alike.get(set) ?? 0
    if (before >= ALIKE) continue
    alike.set(set, before + 1)
    chosen.push(state)
    if (chosen.length === BEAM) break
  }
  return chosen
}

/** The row with all that the rules permit taken from a row of the data, where that is enough. */
function startsFromData({ row, spaces, data, changesMax }: Search, judge: Judge): State[] {
  const rows = Array.from({ length: Math.min(data.rows, STARTS_MAX) }, (_, i) => {
    const other = readRow(data, Math.floor((i * data.rows) / Math.min(data.rows, STARTS_MAX)))
    return row.map((value, j) => {
      const wanted = other[j]
      return wanted === wanted && spaces[j].permits(value, wanted) ? wanted : value
    })
  })
  const reached = judge.states(rows).filter(({ gap }) => gap <= 0)
  return reached
    .sort(bySize)
    .slice(0, STARTS_KEPT)
    .map((state) => takeBack({ row, spaces }, judge, state))
    .filter(({ changed }) => changed.length <= changesMax)
}

/** Takes back the changes that are not needed, the farthest first. */
function takeBack(
  { row, spaces }: Pick<Search, 'row' | 'spaces'>,
  judge: Judge,
  state: State,
): State {
  let best = state
  const far = (j: number) => spaces[j].distance(row[j], state.row[j])
  for (const j of state.changed.toSorted((a, b) => far(b) - far(a) || a - b)) {
    const [without] = judge.states([best.row.with(j, row[j])])
    if (without !== undefined && without.gap <= 0) best = without
  }
  return best
}

/** Moves each changed number towards the row's own as far as the target stays reached. */
function moveBack({ row, spaces }: Search, judge: Judge, state: State): State {
  let best = state
  for (const j of state.changed) {
    const { kind, permits } = spaces[j]
    if (kind === 'category' || Number.isNaN(row[j])) continue
    const reaches = (wanted: number): boolean => {
      if (Object.is(wanted, row[j]) || !permits(row[j], wanted)) return false
      const [next] = judge.states([best.row.with(j, wanted)])
      if (next === undefined || next.gap > 0) return false
      best = next
      return true
    }
    let short = row[j]
    for (let step = 0; step < BISECTIONS; step++) {
      const between = short + (best.row[j] - short) / 2
      const middle = kind === 'whole' ? Math.round(between) : between
      if (middle === short || middle === best.row[j]) break
      if (!reaches(middle)) short = middle
    }
    // A number with few digits, a little farther off, is easier to say.
    const exact = best.row[j]
    const most = LEEWAY * Math.abs(exact - row[j])
    for (let digits = 1; digits < DIGITS_MAX && kind === 'number'; digits++) {
      const rounded = Number(exact.toPrecision(digits))
      if (Math.abs(rounded - row[j]) <= most && reaches(rounded)) break
    }
  }
  return best
}

const LEEWAY = 1.05
const DIGITS_MAX = 12

/** The first ones of which none changes all that another changes. */
function chooseApart(ordered: readonly State[], count: number): State[] {
  const chosen: State[] = []
  for (const state of ordered) {
    if (chosen.length === count) break
    const contains = chosen.some(({ changed }) => isWithin(changed, state.changed))
    if (!contains) chosen.push(state)
  }
  return chosen
}

function tell({ model, row }: Search, { row: own, changed, distance }: State): Counterfactual {
  return {
    row: own,
    outputs: model.predict(own),
    changes: changed.map((j) => ({ feature: model.features[j], from: row[j], to: own[j] })),
    distance,
  }
}
