/** What passes between a model and the threads that compute it. */

export type SessionData = {
  readonly bytes: Uint8Array
  readonly input: string
  readonly output: string
}

/** Rows of float32 numbers, row after row. */
export type RunRequest = {
  readonly id: number
  readonly rows: number
  readonly columns: number
  readonly values: Float32Array
}

export type SessionMessage =
  | { readonly kind: 'ready' }
  /** The session could not be made. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'done'; readonly id: number; readonly values: Float32Array }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string }
