/** Symmetric positive semi-definite systems: the normal equations of least squares. */

/** Row after row, size × size; only the lower triangle is read. */
export type Symmetric = { readonly size: number; readonly values: Float64Array }

/** Below this share of its diagonal a pivot is rounding: the column depends on earlier ones. */
const DEPENDENT = 1e-7

/** Features are standardised; the squares of a constant one are squares of rounding errors. */
const VANISHING = 1e-20

/**
 * The lower triangle L of LLᵀ = A (Cholesky). A column that is a linear combination of earlier
 * ones, to within rounding, is left out: its pivot is 0, and so are its unknown and its row and
 * column of the inverse.
 */
export function factorise({ size, values }: Symmetric): Symmetric {
  const lower = new Float64Array(size * size)
  for (let j = 0; j < size; j++) {
    let pivot = values[j * size + j]
    for (let k = 0; k < j; k++) pivot -= lower[j * size + k] * lower[j * size + k]
    if (!(pivot > Math.max(DEPENDENT * values[j * size + j], VANISHING))) continue
    const root = Math.sqrt(pivot)
    lower[j * size + j] = root
    for (let i = j + 1; i < size; i++) {
      let entry = values[i * size + j]
      for (let k = 0; k < j; k++) entry -= lower[i * size + k] * lower[j * size + k]
      lower[i * size + j] = entry / root
    }
  }
  return { size, values: lower }
}

/** The x of LLᵀx = b; 0 where the pivot is 0. */
export function solveFactorised({ size, values }: Symmetric, b: Float64Array): Float64Array {
  const x = Float64Array.from(b)
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) x[i] -= values[i * size + k] * x[k]
    const pivot = values[i * size + i]
    x[i] = pivot === 0 ? 0 : x[i] / pivot
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) x[i] -= values[k * size + i] * x[k]
    const pivot = values[i * size + i]
    x[i] = pivot === 0 ? 0 : x[i] / pivot
  }
  return x
}

/** The inverse of LLᵀ, both triangles. */
export function invertFactorised(lower: Symmetric): Symmetric {
  const { size } = lower
  const values = new Float64Array(size * size)
  const unit = new Float64Array(size)
  for (let j = 0; j < size; j++) {
    unit.fill(0)[j] = 1
    const column = solveFactorised(lower, unit)
    if (lower.values[j * size + j] === 0) continue
    for (let i = 0; i < size; i++) values[i * size + j] = column[i]
  }
  return { size, values }
}
