/**
 * Bins that are kept from fit to fit: a search learns from one matrix many times, and on a small
 * budget cutting it into bins costs as much as the trees.
 */
import type { Matrix } from '../../lib/matrix.ts'
import { type BinnedMatrix, binMatrix } from './bins.ts'
import type { Likeness } from './category-bins.ts'
import type { Kernels } from './kernels.ts'

/** Bins in ordinary memory, as long as the matrices live from which they were made. */
export type BinStore = WeakMap<Matrix, Map<string, BinnedMatrix>>

/** As `binMatrix`; taken from the store where it has the bins, else kept in it. */
export function keptBins(
  store: BinStore | undefined,
  x: Matrix,
  maxBins: number,
  kernels: Kernels,
  categorical: readonly string[] = [],
  likeness?: Likeness,
): BinnedMatrix {
  if (store === undefined) return binMatrix(x, maxBins, kernels, categorical, likeness)
  const key = JSON.stringify([maxBins, categorical])
  const known = store.get(x)?.get(key)
  if (known !== undefined) return copyBins(known, kernels.bytes, kernels.wholes)
  const binned = binMatrix(x, maxBins, kernels, categorical, likeness)
  if (dependsOnLabels(binned)) return binned
  const own = store.get(x) ?? new Map<string, BinnedMatrix>()
  const bytes = (length: number) => new Uint8Array(length)
  store.set(
    x,
    own.set(
      key,
      copyBins(binned, bytes, (length) => new Uint32Array(length)),
    ),
  )
  return binned
}

/** Categories share bins by their labels, whose weights may differ from fit to fit. */
function dependsOnLabels({ codeBins }: BinnedMatrix): boolean {
  return codeBins.some((bins) => bins?.some((bin, place) => bin !== place))
}

function copyBins(
  binned: BinnedMatrix,
  bytes: (length: number) => Uint8Array,
  wholes: (length: number) => Uint32Array,
): BinnedMatrix {
  const copyBytes = (from: Uint8Array) => {
    const to = bytes(from.length)
    to.set(from)
    return to
  }
  const missing = wholes(binned.missing.length)
  missing.set(binned.missing)
  return {
    ...binned,
    missing,
    hasMissing: copyBytes(binned.hasMissing),
    byRow: copyBytes(binned.byRow),
    byColumn: copyBytes(binned.byColumn),
  }
}
