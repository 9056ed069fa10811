// Our boosted trees in LightGBM's text format, so that LightGBM runs the very same trees.
import type { BoostedTreesModel, Tree } from '../src/learning/index.ts'

/** Of a model of two classes without categories. */
export function lightgbmText(model: BoostedTreesModel): string {
  // The base goes into the leaves of the first tree, as LightGBM itself does it.
  const blocks = model.trees.map((tree, index) =>
    treeText(tree, index, index === 0 ? model.base : 0),
  )
  const header = [
    'tree',
    'version=v4',
    'num_class=1',
    'num_tree_per_iteration=1',
    'label_index=0',
    `max_feature_idx=${model.features.length - 1}`,
    'objective=binary sigmoid:1',
    `feature_names=${model.features.join(' ')}`,
    `feature_infos=${model.features.map(() => '[-1e300:1e300]').join(' ')}`,
    `tree_sizes=${blocks.map((block) => block.length + 1).join(' ')}`,
  ]
  return `${header.join('\n')}\n\n${blocks.join('\n')}\nend of trees\n`
}

/** decision_type of a split by number with missing values as NaN. */
const NUMERIC = 8
const DEFAULT_LEFT = 2

function treeText(tree: Tree, index: number, base: number): string {
  const inner: number[] = []
  const leaves: number[] = []
  const position = tree.feature.map((feature, node) =>
    feature < 0 ? -leaves.push(node) : inner.push(node) - 1,
  )
  const list = (nodes: readonly number[], of: (node: number) => number) => nodes.map(of).join(' ')
  const lines = [
    `Tree=${index}`,
    `num_leaves=${leaves.length}`,
    'num_cat=0',
    `split_feature=${list(inner, (node) => tree.feature[node])}`,
    `split_gain=${list(inner, () => 1)}`,
    `threshold=${list(inner, (node) => tree.threshold[node])}`,
    `decision_type=${list(inner, (n) => NUMERIC + (tree.missingLeft[n] === 1 ? DEFAULT_LEFT : 0))}`,
    `left_child=${list(inner, (node) => position[tree.left[node]])}`,
    `right_child=${list(inner, (node) => position[tree.right[node]])}`,
    `leaf_value=${list(leaves, (node) => tree.value[node] + base)}`,
    `leaf_weight=${list(leaves, (node) => tree.cover[node])}`,
    `leaf_count=${list(leaves, () => 1)}`,
    `internal_value=${list(inner, () => 0)}`,
    `internal_weight=${list(inner, (node) => tree.cover[node])}`,
    `internal_count=${list(inner, () => 1)}`,
    'is_linear=0',
    'shrinkage=1',
    '',
  ]
  return `${lines.join('\n')}\n`
}
