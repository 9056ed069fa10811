/** What rows count by their class. */
import { fail } from './errors.ts'

/**
 * The declared weight of each class; balanced: rows ÷ (classes × rows of the class). `y` holds the
 * index of each row's class. Throws `learner_invalid` for another number of weights.
 */
export function weighClasses(
  y: Float64Array,
  classes: number,
  declared: 'balanced' | readonly number[],
): readonly number[] {
  if (declared !== 'balanced') {
    if (declared.length === classes) return declared
    throw fail.learner_invalid(
      `The learner's "classWeights" has ${declared.length} weights for ${classes} classes.`,
    )
  }
  const rows = new Float64Array(classes)
  for (const label of y) rows[label]++
  return Array.from(rows, (count) => y.length / (classes * Math.max(1, count)))
}
