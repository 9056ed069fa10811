/** Scoring with random forests: the mean of what the trees say. */
import { fail } from '../errors.ts'
import type { Scorer } from '../estimator.ts'
import { type Forest, forestOf, leafFrom } from './forest.ts'
import type { ForestTree, RandomForestModel } from './random-forest-model.ts'
import { treeExplanations } from './shap-scorer.ts'

export function randomForestScorer(model: RandomForestModel): Scorer {
  const task = model.params?.task
  const outputs = outputsOf(model)
  const { forest, values } = flatten(model, outputs.length)
  const count = forest.roots.length

  function addValues(leaf: number, into: Float64Array, at = 0): void {
    for (let k = 0; k < outputs.length; k++) into[at + k] += values[leaf * outputs.length + k]
  }

  return {
    task,
    marginUnit: task === 'regression' ? 'value' : 'probability',
    outputs,
    margins(row, into) {
      into.fill(0)
      for (const root of forest.roots) addValues(leafFrom(forest, root, row), into)
      for (let output = 0; output < into.length; output++) into[output] /= count
    },
    marginsOfColumns(columns, rows, into) {
      into.fill(0)
      for (const [from, block] of blocksOf(columns, rows)) {
        // Tree by tree, so that the nodes of one are still at hand for the next row.
        for (const root of forest.roots) {
          for (let i = 0; i < block.length; i++) {
            const at = (from + i) * outputs.length
            addValues(leafFrom(forest, root, block[i]), into, at)
          }
        }
      }
      for (let i = 0; i < into.length; i++) into[i] /= count
    },
    // The margin is the share or the mean itself.
    activate() {},
    ...treeExplanations((output) => ({
      ...forest,
      value: forest.value.map((_, node) => values[node * outputs.length + output] / count),
    })),
  }
}

function outputsOf({ params, classes }: RandomForestModel): readonly string[] {
  switch (params?.task) {
    case 'binary':
      return ['score']
    case 'regression':
      return ['value']
    case 'multiclass': {
      const named = Array.isArray(classes) && classes.every((name) => typeof name === 'string')
      if (named && classes.length > 1 && new Set(classes).size === classes.length) return classes
      throw fail.model_invalid('The model does not name its classes.')
    }
    default:
      throw fail.model_invalid('The model does not say what its task is.')
  }
}

/** All trees in flat arrays, and the values of all outputs, node after node. */
function flatten(
  { trees, features, params }: RandomForestModel,
  outputs: number,
): { forest: Forest; values: Float64Array } {
  if (!Array.isArray(trees) || trees.length === 0) {
    throw fail.model_invalid('The model lacks its trees.')
  }
  const isValue = params.task === 'regression' ? Number.isFinite : isShare
  trees.forEach((tree: ForestTree | null, index) => {
    const size = tree?.feature?.length
    const lists: readonly unknown[] = Array.isArray(tree?.values) ? tree.values : []
    const sound = lists.every(
      (list) => Array.isArray(list) && list.length === size && list.every(isValue),
    )
    if (lists.length !== outputs || !sound) {
      throw fail.model_invalid(`The values of tree ${index} are not one number an output and node.`)
    }
  })
  const forest = forestOf(
    trees.map((tree) => ({ ...tree, value: tree.values[0] })),
    features.length,
    [0],
  )
  const values = new Float64Array(forest.feature.length * outputs)
  trees.forEach((tree: ForestTree, index) => {
    const root = forest.roots[index]
    tree.values.forEach((list, output) => {
      list.forEach((value, node) => (values[(root + node) * outputs + output] = value))
    })
  })
  return { forest, values }
}

/** Rounding may lift a share of a whole by a bit. */
function isShare(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1 + 1e-9
}

const BLOCK_ROWS = 256

/** Some rows at a time, each with its values together. */
function* blocksOf(
  columns: readonly Float64Array[],
  rows: number,
): Generator<[from: number, block: readonly Float64Array[]]> {
  const width = columns.length
  const values = new Float64Array(BLOCK_ROWS * width)
  const views = Array.from({ length: BLOCK_ROWS }, (_, i) =>
    values.subarray(i * width, (i + 1) * width),
  )
  for (let from = 0; from < rows; from += BLOCK_ROWS) {
    const length = Math.min(BLOCK_ROWS, rows - from)
    columns.forEach((column, j) => {
      for (let i = 0; i < length; i++) values[i * width + j] = column[from + i]
    })
    yield [from, views.slice(0, length)]
  }
}
