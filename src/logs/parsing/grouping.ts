/**
 * Grouping accuracy (Zhu et al., *Tools and Benchmarks for Automated Log Parsing*, ICSE-SEIP 2019): the part of
 * the lines whose group holds the very lines that the labels put together.
 */
export function groupingAccuracy(found: readonly unknown[], labels: readonly unknown[]): number {
  const sizes = (of: readonly unknown[]) => {
    const counts = new Map<unknown, number>()
    for (const each of of) counts.set(each, (counts.get(each) ?? 0) + 1)
    return counts
  }
  const labelSizes = sizes(labels)
  const labelsIn = new Map<unknown, Set<unknown>>()
  found.forEach((group, i) => {
    const known = labelsIn.get(group)
    if (known === undefined) labelsIn.set(group, new Set([labels[i]]))
    else known.add(labels[i])
  })
  let right = 0
  for (const [group, size] of sizes(found)) {
    const [label, ...others] = labelsIn.get(group)!
    if (others.length === 0 && labelSizes.get(label) === size) right += size
  }
  return right / labels.length
}
