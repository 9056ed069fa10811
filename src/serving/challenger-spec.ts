// What a challenger's declaration must say for it to make sense.
import { servingErrors } from './errors.ts'
import type { ChallengerGuards, ChallengerSpec } from './types.ts'

/** What guards a challenger unless it says otherwise. */
export const usualGuards: ChallengerGuards = {
  minDecisions: 200,
  errorRateMax: 0.02,
  latencyMsP99Max: 100,
  psiMax: 0.25,
  scoreDistanceMax: 0.25,
  approvalDifferenceMax: 0.05,
}

const STEPS_MAX = 20
/** More are not counted at every look. */
const STEP_DECISIONS_MAX = 20_000
const CHALLENGERS_MAX = 8
const RESERVED = ['champion', 'last-good']
/** Shares are written as decimals, whose sum may miss 1 by a rounding. */
const ROUNDING = 1e-9

/** Error: `challenger_invalid`, which says what is wrong. */
export function checkSpec(
  { name, mode, share, when, steps, guards }: ChallengerSpec,
  beside: readonly ChallengerSpec[],
): void {
  const refuse = (detail: string): never => {
    throw servingErrors.challenger_invalid(detail)
  }
  if (!/^[A-Za-z0-9_-]{1,60}$/.test(name) || RESERVED.includes(name)) {
    refuse(
      `"${name}" is no name: 1 to 60 letters, digits, - and _, and not ${RESERVED.join(', ')}.`,
    )
  }
  if (beside.some((each) => each.name === name)) refuse(`There is a challenger ${name} already.`)
  if (beside.length >= CHALLENGERS_MAX) refuse(`There are ${CHALLENGERS_MAX} challengers already.`)
  const shares = [share, ...(steps ?? []).map((step) => step.share)]
  const bad = shares.find((each) => !(each > 0 && each <= 1))
  if (bad !== undefined) refuse(`A share must be above 0 and at most 1, not ${bad}.`)
  if (mode === 'shadow' && (when !== undefined || steps !== undefined)) {
    refuse('Shadow takes every event on its share: a condition and steps are of live traffic.')
  }
  if (steps !== undefined && (steps.length === 0 || steps.length > STEPS_MAX)) {
    refuse(`A canary has 1 to ${STEPS_MAX} steps.`)
  }
  for (const [index, step] of (steps ?? []).entries()) {
    const { holdMinutes, minDecisions } = step
    const isCount = Number.isSafeInteger(minDecisions) && minDecisions >= 0
    if (!(holdMinutes >= 0) || !isCount || minDecisions > STEP_DECISIONS_MAX) {
      refuse(
        `Step ${index + 1} needs minutes, and a number of decisions from 0 to ${STEP_DECISIONS_MAX}.`,
      )
    }
    if (index > 0 && step.share <= steps![index - 1].share) {
      refuse(`Step ${index + 1} must have a larger share than the one before.`)
    }
  }
  const others = beside.filter((each) => each.mode === 'live')
  const taken = others.reduce((sum, each) => sum + each.share, 0)
  if (mode === 'live' && taken + Math.max(...shares) > 1 + ROUNDING) {
    refuse(`Others take ${taken} of the traffic; there is no room for ${Math.max(...shares)}.`)
  }
  for (const [guard, value] of Object.entries(guards)) {
    if (!(value >= 0 && Number.isFinite(value))) refuse(`The guard ${guard} must be 0 or more.`)
  }
}
