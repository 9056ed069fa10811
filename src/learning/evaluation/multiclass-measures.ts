/** Measures of probabilities of several classes. Formulas and sources: docs/reference/measures.md. */
import { ln } from '../../lib/math.ts'
import { type MeasureOf, PROBABILITY_MIN, weightedMean } from './measure.ts'
import { areaOf, emptySteps, stepsOf } from './ranking.ts'
import {
  type MulticlassResults,
  type MulticlassSample,
  type ReadyMulticlass,
  readyMulticlass,
  type Weights,
} from './results.ts'

type MulticlassMeasure = MeasureOf<'multiclass', ReadyMulticlass, MulticlassSample>

/**
 * A class of which a sample holds no row has no recall and no area: means over classes leave it
 * out of that sample.
 */
export const multiclassMeasures: readonly MulticlassMeasure[] = [
  {
    task: 'multiclass',
    name: 'log_loss',
    title: 'Log loss',
    better: 'lower',
    needs: 'probabilities',
    prepare: ({ results: { y, classes, probabilities } }) => {
      const losses = y.map((label, row) => {
        const p = probabilities[row * classes.length + label]
        return -ln(Math.min(Math.max(p, PROBABILITY_MIN), 1 - PROBABILITY_MIN))
      })
      return ({ weights }) => weightedMean(losses, weights)
    },
  },
  {
    task: 'multiclass',
    name: 'brier',
    title: 'Brier score, over all classes',
    better: 'lower',
    needs: 'probabilities',
    prepare: ({ results: { y, classes, probabilities } }) => {
      const losses = y.map((label, row) => {
        let loss = 0
        for (let c = 0; c < classes.length; c++) {
          const gap = (label === c ? 1 : 0) - probabilities[row * classes.length + c]
          loss += gap * gap
        }
        return loss
      })
      return ({ weights }) => weightedMean(losses, weights)
    },
  },
  {
    task: 'multiclass',
    name: 'roc_auc_ovr',
    title: 'Area under the ROC curve, mean of each class against the rest',
    better: 'higher',
    needs: 'ranks',
    prepare: areasAgainstRest,
  },
  {
    task: 'multiclass',
    name: 'roc_auc_hand_till',
    title: 'Area under the ROC curve, mean over pairs of classes (Hand and Till)',
    better: 'higher',
    needs: 'ranks',
    prepare: areasOfPairs,
  },
  decided('accuracy', 'Accuracy', ({ right, total }) => sum(right) / total),
  decided('balanced_accuracy', 'Balanced accuracy', ({ right, truth }) =>
    meanWhere(truth, (c) => right[c] / truth[c]),
  ),
  decided('f1_macro', 'F1, mean over classes', (table) => {
    const either = table.truth.map((weight, c) => weight + table.said[c])
    return meanWhere(either, (c) => (2 * table.right[c]) / either[c])
  }),
  decided('f1_weighted', 'F1, mean over classes by their rows', ({ right, truth, said, total }) => {
    return sum(truth.map((t, c) => (t === 0 ? 0 : (t * 2 * right[c]) / (t + said[c])))) / total
  }),
  decided('f1_micro', 'F1 over all decisions', ({ right, total }) => sum(right) / total),
  decided('cohens_kappa', "Cohen's kappa", ({ right, truth, said, total }) => {
    const chance = sum(truth.map((t, c) => (t / total) * (said[c] / total)))
    return chance === 1 ? 0 : (sum(right) / total - chance) / (1 - chance)
  }),
  decided('mcc', 'Matthews correlation (Gorodkin)', ({ right, truth, said, total }) => {
    const covariance = sum(right) * total - sum(truth.map((t, c) => t * said[c]))
    const spread = (list: Float64Array) => total * total - sum(list.map((v) => v * v))
    const product = Math.sqrt(spread(truth)) * Math.sqrt(spread(said))
    return product === 0 ? 0 : covariance / product
  }),
]

export type ConfusionMatrix = {
  readonly classes: readonly string[]
  /** Rows by true class, then by predicted class. */
  readonly counts: readonly (readonly number[])[]
}

/** How often each class was taken for each. */
export function confusionMatrix(results: MulticlassResults): ConfusionMatrix {
  const { predicted } = readyMulticlass(results)
  const { classes, y } = results
  const counts = classes.map(() => new Array<number>(classes.length).fill(0))
  predicted.forEach((said, row) => counts[y[row]][said]++)
  return { classes, counts }
}

/** The weights of a confusion matrix: on its diagonal, of its rows and of its columns. */
type Margins = {
  readonly right: Float64Array
  readonly truth: Float64Array
  readonly said: Float64Array
  readonly total: number
}

function decided(name: string, title: string, of: (margins: Margins) => number): MulticlassMeasure {
  return {
    task: 'multiclass',
    name,
    title,
    better: 'higher',
    needs: 'decisions',
    prepare:
      ({ results }) =>
      (sample) =>
        of(marginsOf(sample.confusion(), results.classes.length)),
  }
}

function marginsOf(matrix: Float64Array, count: number): Margins {
  const margins = {
    right: new Float64Array(count),
    truth: new Float64Array(count),
    said: new Float64Array(count),
  }
  for (let t = 0; t < count; t++) {
    for (let s = 0; s < count; s++) {
      margins.truth[t] += matrix[t * count + s]
      margins.said[s] += matrix[t * count + s]
    }
    margins.right[t] = matrix[t * count + t]
  }
  return { ...margins, total: sum(margins.truth) }
}

function areasAgainstRest({ results, orders }: ReadyMulticlass) {
  const { y, classes } = results
  const rankings = orders().map((ranking, c) => ({
    ...ranking,
    y: y.map((label) => (label === c ? 1 : 0)),
    scratch: emptySteps(ranking.groupEnds.length),
  }))
  return ({ weights }: MulticlassSample) => {
    const areas = rankings.map((ranking) => areaOf(stepsOf(ranking, weights, ranking.scratch)))
    const drawn = classWeights(y, weights, classes.length)
    return meanWhere(drawn, (c) => areas[c])
  }
}

/**
 * Hand and Till 2001, equation 7: of each pair of classes the mean of A(i|j) and A(j|i), where
 * A(i|j) is the chance that a row of class i is given more probability of i than one of class j.
 */
function areasOfPairs({ results, orders }: ReadyMulticlass) {
  const { y, classes } = results
  const count = classes.length
  const rankings = orders()
  const won = new Float64Array(count)
  return ({ weights }: MulticlassSample) => {
    const drawn = classWeights(y, weights, count)
    const present = Array.from(drawn.keys()).filter((c) => drawn[c] > 0)
    let total = 0
    for (const i of present) {
      const { order, groupEnds } = rankings[i]
      won.fill(0)
      let above = 0
      let from = 0
      for (const end of groupEnds) {
        let here = 0
        for (let at = from; at < end; at++) if (y[order[at]] === i) here += weights[order[at]]
        // Rows of class i above a row of class j win; those beside it win half.
        for (let at = from; at < end; at++) {
          won[y[order[at]]] += weights[order[at]] * (above + here / 2)
        }
        above += here
        from = end
      }
      for (const j of present) if (j !== i) total += won[j] / (drawn[i] * drawn[j])
    }
    return total / (present.length * (present.length - 1))
  }
}

function classWeights(y: Float64Array, weights: Weights, count: number): Float64Array {
  const drawn = new Float64Array(count)
  for (let row = 0; row < y.length; row++) drawn[y[row]] += weights[row]
  return drawn
}

/** The mean over the classes that weigh anything. */
function meanWhere(weights: Float64Array, of: (c: number) => number): number {
  let total = 0
  let count = 0
  weights.forEach((weight, c) => {
    if (weight === 0) return
    total += of(c)
    count++
  })
  return total / count
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
