/** Training rows of linear learners, dense or sparse, and their weights. */
import type { Matrix } from '../../lib/matrix.ts'
import { weighClasses } from '../class-weights.ts'
import type { CheckedData } from '../model.ts'
import { denseDesign, type Design, sparseDesign } from './design.ts'
import type { Solver } from './model.ts'
import { type SparseMatrix, toSparse } from './sparse.ts'

/** Rows as `CheckedData` has them, in a sparse matrix. */
export type SparseData = Omit<CheckedData, 'x' | 'validation'> & { readonly x: SparseMatrix }

export type LinearData = Omit<CheckedData, 'x' | 'validation'> & {
  readonly x: CheckedData['x'] | SparseMatrix
}

/** Sparse where the solver needs it, or where most values are 0 and it is quicker. */
export function designOf({ x }: LinearData, solver: Solver): Design {
  if ('starts' in x) return sparseDesign(x)
  return solver === 'saga' || mostlyZero(x) ? sparseDesign(toSparse(x)) : denseDesign(x)
}

function mostlyZero(x: Matrix): boolean {
  let zeros = 0
  for (const column of x.columns) for (const value of column) if (value === 0) zeros++
  return zeros > 0.7 * x.rows * x.columns.length
}

/** Own weight of each row times that of its class, in the order of the classes. */
export function weighRows(
  { y, weights }: LinearData,
  classes: number,
  declared: 'balanced' | readonly number[] | undefined,
): Float64Array {
  const ofClasses = declared && weighClasses(y, classes, declared)
  return y.map((label, i) => (weights?.[i] ?? 1) * (ofClasses?.[label] ?? 1))
}
